import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { startApp } from '../../src/app.ts';
import { systemClock } from '../../src/backends/clock/system-clock.ts';
import { createLogger } from '../../src/backends/logger/create-logger.ts';
import { mintToken } from '../../src/backends/tokens/jwt.ts';
import { loadConfig } from '../../src/config.ts';
import { AppError } from '../../src/core/errors.ts';
import { type ApplicationId, DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import type { LoadGauge } from '../../src/core/ports/load.ts';
import type { Store } from '../../src/core/ports/store.ts';
import type { ToolSource } from '../../src/core/ports/tool.ts';
import type { Access, CreateKey } from '../../src/engine/index.ts';
import type { Dialect } from '../../src/http/dialect.ts';

export const DEVELOPMENT_KEY = 'dev-api-key-change-in-production';
/** What signs the tokens of a test's server unless `env` has another one. */
export const SECRET = '5f0c7b3e9a1d4286b7e0f9c2a4d6e8b1';

/** A whole server in this process, as `npm start` puts it together, on a free loopback port. */
export interface TestApp {
  readonly url: string;
  readonly dataDir: string;
  /** Everything it logged, one JSON text a line. */
  log(): string;
  /** A token of one user of the default application, for ten minutes unless said otherwise. */
  token(userId: string, expiresInSeconds?: number): Promise<string>;
  /** Applications and keys, as whoever operates it can make them. */
  readonly access: Access;
  /** Makes a server's key of the default application, with the scopes `read`, `write` and `act_as` unless said otherwise; gives its secret. */
  key(but?: Partial<CreateKey>): Promise<string>;
  /** A server's key of another application, which is made when there is none yet. */
  foreignKey(): Promise<string>;
  /** Sends a request with the development key, unless `headers` names an `authorization`; an empty one sends none. */
  send(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Drains and closes it; removes the data unless the caller brought the directory. */
  close(): Promise<void>;
}

export interface TestAppOptions {
  /** Environment variables beside the test's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Content of polylogue.config.json. */
  readonly file?: Readonly<Record<string, unknown>>;
  readonly dataDir?: string;
  /** PostgreSQL instead of the embedded store. */
  readonly databaseUrl?: string;
  /** Instead of the one that the settings choose; the server closes it. */
  readonly store?: Store;
  readonly dialects?: readonly Dialect[];
  /** Tools besides those of the settings. */
  readonly sources?: readonly ToolSource[];
  /** Always calm unless given: what else runs on the machine makes no test's server turn anybody away. */
  readonly load?: LoadGauge;
}

const calm: LoadGauge = { level: () => 'calm' };
const OTHER_APPLICATION = 'other' as ApplicationId;
const unbounded = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };
/** Tests that are not about limits do not meet any. */
const tiers = { default: { user: unbounded, application: unbounded } };

async function createKey(access: Access, but: Partial<CreateKey>): Promise<string> {
  const usual: CreateKey = { applicationId: DEFAULT_APPLICATION, name: 'a test', scopes: ['read', 'write', 'act_as'] };
  return (await access.createKey({ ...usual, ...but })).secret;
}

async function createForeignKey(access: Access): Promise<string> {
  await access.createApplication(OTHER_APPLICATION, { name: 'Another application' }).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'state_conflict') throw error;
  });
  return createKey(access, { applicationId: OTHER_APPLICATION });
}

/** Starts it; without bounds on what callers may use unless `file` has `tiers`. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const { env = {}, file = {}, dataDir, databaseUrl = '', store, dialects, sources, load = calm } = options;
  const directory = dataDir ?? (await mkdtemp(join(tmpdir(), 'polylogue-')));
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const config = loadConfig({
    env: { PORT: '0', DATA_DIR: directory, DATABASE_URL: databaseUrl, JWT_SECRET_KEY: SECRET, ...env },
    cwd: directory,
    readFile: () => JSON.stringify({ version: 1, demo: { tokenDelayMs: 0 }, limits: { drainSeconds: 1 }, tiers, ...file }),
  });
  const given = { ...(store && { store }), ...(dialects && { dialects }), ...(sources && { sources }), load };
  const app = await startApp(config, { log: createLogger('info', sink), ...given });
  const send = (path: string, init: RequestInit = {}) => {
    const headers = new Headers({ authorization: `Bearer ${DEVELOPMENT_KEY}`, ...init.headers });
    if (headers.get('authorization') === '') headers.delete('authorization');
    return fetch(app.url + path, { ...init, headers });
  };
  return {
    url: app.url,
    dataDir: directory,
    log: () => lines.join(''),
    token: (userId, expiresInSeconds = 600) => mintToken({ secret: SECRET, userId, expiresInSeconds, clock: systemClock }),
    access: app.access,
    key: (but = {}) => createKey(app.access, but),
    foreignKey: () => createForeignKey(app.access),
    send,
    post: (path, body, headers = {}) =>
      send(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
    async close() {
      await app.close();
      if (dataDir === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

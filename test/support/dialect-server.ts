import { pino } from 'pino';
import { afterEach } from 'vitest';
import { systemClock } from '../../src/backends/clock/system-clock.ts';
import type { Principal } from '../../src/core/principal.ts';
import type { Engine } from '../../src/engine/index.ts';
import type { Dialect } from '../../src/http/dialect.ts';
import { createEventStreams } from '../../src/http/event-stream.ts';
import { createRunStreams } from '../../src/http/run-streams.ts';
import { createServer } from '../../src/http/server.ts';
import { credentialsOf, serverKey, userToken } from './principals.ts';
import { type ExpectedCalls, stubEngine } from './stub-engine.ts';

const principals: Readonly<Record<string, Principal>> = {
  plg_server: serverKey(),
  plg_browser: serverKey({ scopes: new Set(['read', 'write']) }),
  'jwt-ann': userToken('ann'),
  'jwt-bob': userToken('bob'),
};

/** A listening server with one dialect over an engine of the test's making. */
export interface DialectServer {
  readonly url: string;
  /** Sends a request to a path with `plg_server` as its key unless the headers name another credential; an empty `authorization` sends none. */
  send(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

/** Serves a dialect on a free loopback port. Credentials: `plg_server` (acts for all), `plg_browser` (acts for none), `jwt-ann`, `jwt-bob`, `jwt-expired`, and `known`. */
export async function serveDialect(
  dialect: Dialect,
  engine: Engine,
  known: Readonly<Record<string, Principal>> = {},
): Promise<DialectServer> {
  const log = pino({ level: 'silent' });
  const eventStreams = createEventStreams({ clock: systemClock, limits: engine.limits });
  const onFault = (error: unknown) => log.error(error);
  const app = await createServer({
    origins: { allowedOrigins: [], development: false },
    bodyLimit: 1_048_576,
    page: { publicUrl: null, exampleKey: null, demo: false },
    log,
    dialects: [dialect],
    credentials: credentialsOf({ ...principals, ...known }),
    deps: {
      engine,
      clock: systemClock,
      eventStreams,
      runStreams: createRunStreams({ engine, maxReadersPerRun: 10, onFault }),
      settings: { answerTimeoutMs: 1000, carryTurns: 3 },
    },
    draining: new AbortController().signal,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const send = (path: string, init: RequestInit = {}) => {
    const headers = new Headers({ authorization: 'Bearer plg_server', ...init.headers });
    if (headers.get('authorization') === '') headers.delete('authorization');
    return fetch(url + path, { ...init, headers });
  };
  return {
    url,
    send,
    post: (path, body, headers = {}) =>
      send(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
    close: async () => {
      eventStreams.close();
      await app.close();
    },
  };
}

/** Serves a dialect over a stub engine, for the tests of one file; closes after each test what it has opened. */
export function serveInTests(dialect: Dialect): (calls?: ExpectedCalls) => Promise<DialectServer> {
  const opened: DialectServer[] = [];
  afterEach(async () => {
    for (const server of opened.splice(0)) await server.close();
  });
  return async (calls = {}) => {
    const server = await serveDialect(dialect, stubEngine(calls));
    opened.push(server);
    return server;
  };
}

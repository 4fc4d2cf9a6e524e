import { connect } from 'node:net';
import { Writable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { pino } from 'pino';
import Type from 'typebox';
import type { Principal } from '../../src/core/principal.ts';
import { namedUserOf } from '../../src/http/authenticate.ts';
import type { Dialect, Doorkeeper } from '../../src/http/dialect.ts';
import { createErrorHandler } from '../../src/http/error-handler.ts';
import { createEventStreams, type EventStream, type EventStreams } from '../../src/http/event-stream.ts';
import { readRepeatKey } from '../../src/http/idempotency.ts';
import { problemShape } from '../../src/http/problem.ts';
import { createRunStreams } from '../../src/http/run-streams.ts';
import { createServer } from '../../src/http/server.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { credentialsOf, serverKey, userToken } from './principals.ts';
import { type ExpectedCalls, stubEngine } from './stub-engine.ts';

const Body = Type.Object(
  { name: Type.String({ maxLength: 3 }), list: Type.Optional(Type.Array(Type.Integer(), { maxItems: 2 })) },
  { additionalProperties: false },
);

const principals: Readonly<Record<string, Principal>> = {
  plg_a: serverKey(),
  plg_b: serverKey({ scopes: new Set(['read', 'write']) }),
  jwt: userToken('ann'),
};

/** A listening server with one small dialect, to see what all dialects share. */
export interface FrontServer {
  readonly port: number;
  readonly clock: FakeClock;
  readonly draining: AbortController;
  /** Responses of GET `/door/stream` and `/door/lasting`, in order. */
  readonly streams: readonly EventStream[];
  readonly eventStreams: EventStreams;
  logged(): string;
  /** Sends bytes as they are and gives all bytes that come until the connection is closed. */
  raw(bytes: string): Promise<string>;
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Response>;
  /** Posts to `/door/who/1`. */
  post(body: string, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

/** For routes that take strangers too. */
async function charge(door: Doorkeeper, request: FastifyRequest): Promise<void> {
  if (request.headers.authorization) await door.callerOf(request, await door.authenticate(request), namedUserOf(request));
}

function createDoor(streams: EventStream[]): Dialect {
  return {
    name: 'door',
    prefixes: ['/door', '/alias'],
    purpose: 'Tests <b>',
    example: ({ url, key }) => `curl ${url}/door -H "X-API-Key: ${key}"`,
    register(scope, { door, eventStreams }) {
      scope.setErrorHandler(createErrorHandler(problemShape));
      scope.get('/who/:id', async (request) => {
        const principal = await door.authenticate(request, { queryNames: { key: 'key' } });
        return door.callerOf(request, principal, namedUserOf(request));
      });
      scope.post('/who/:id', { schema: { body: Body } }, async (request) => {
        await charge(door, request);
        return { body: request.body, repeat: readRepeatKey(request, 'door') };
      });
      scope.get('/stream', async (request, reply) => {
        await charge(door, request);
        reply.header('x-run-id', 'r');
        streams.push(eventStreams.open(reply, { contentType: 'text/event-stream', pings: true }));
      });
      scope.get('/lasting', async (_request, reply) => {
        await undefined;
        streams.push(eventStreams.open(reply, { contentType: 'text/event-stream', pings: true, lasting: true }));
      });
      scope.get('/broken', async () => {
        throw new Error('secret path /etc');
      });
    },
  };
}

function createLines() {
  let text = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { log: pino(sink), read: () => text };
}

function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

interface FrontServerOptions extends Pick<ExpectedCalls, 'limits'> {
  /** Credentials beside the usual ones. */
  readonly known?: Readonly<Record<string, Principal>>;
}

/** Starts it on a free loopback port; keys `plg_a` (acts for all) and `plg_b`, token `jwt` of user `ann`, at most 10,000 bytes a body. */
export async function startFrontServer({ limits, known = {} }: FrontServerOptions = {}): Promise<FrontServer> {
  const clock = createFakeClock();
  const draining = new AbortController();
  const streams: EventStream[] = [];
  const engine = stubEngine({ ...(limits && { limits }) });
  const eventStreams = createEventStreams({ clock, limits: engine.limits });
  const lines = createLines();
  const app = await createServer({
    origins: { allowedOrigins: ['https://app.example'], development: false },
    bodyLimit: 10_000,
    page: { publicUrl: null, exampleKey: null, demo: true },
    log: lines.log,
    dialects: [createDoor(streams)],
    credentials: credentialsOf({ ...principals, ...known }),
    deps: {
      engine,
      clock,
      eventStreams,
      runStreams: createRunStreams({ engine, maxReadersPerRun: 1, onFault: () => undefined }),
      settings: { answerTimeoutMs: 1_000, carryTurns: 0 },
    },
    draining: draining.signal,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const port = Number(new URL(url).port);
  const json = { 'content-type': 'application/json' };
  return {
    port,
    clock,
    draining,
    streams,
    eventStreams,
    logged: lines.read,
    raw: (bytes) => sendRaw(port, bytes),
    get: (path, headers = {}, method = 'GET') => fetch(url + path, { method, headers }),
    post: (body, headers = {}) => fetch(`${url}/door/who/1`, { method: 'POST', body, headers: { ...json, ...headers } }),
    async close() {
      eventStreams.close();
      await app.close();
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/backends/clock/system-clock.ts';
import { mintToken } from '../../src/backends/tokens/jwt.ts';
import { MAX_FILE_BYTES } from '../../src/core/attachment.ts';
import { AppError } from '../../src/core/errors.ts';
import type { ApplicationId } from '../../src/core/ids.ts';
import { SCOPES, type Scope } from '../../src/core/principal.ts';
import type { Circumstance } from '../../src/http/docs/circumstances.ts';
import { startTestApp, type TestApp } from './app.ts';
import { pdfOf } from './forms.ts';
import type { DocumentedRequest, Replay } from './replay.ts';

/** What a circumstance gives to a request. */
export interface Arranged {
  readonly values: Readonly<Record<string, string>>;
  /** Where the request goes when that is another server than usual. */
  readonly server?: Pick<TestApp, 'send'>;
  /** What goes on while the request is answered, until the signal aborts. */
  readonly meanwhile?: (signal: AbortSignal) => Promise<void>;
  /** Ends what was there for this request only. */
  readonly end?: () => Promise<void>;
}

/** Brings about what a documented refusal needs. */
export interface Arrangements {
  arrange(given: Circumstance, request: DocumentedRequest): Promise<Arranged>;
  close(): Promise<void>;
}

export const DOCUMENTED_BOUNDS = { bodyBytes: 65_536, queuedRunsPerThread: 2, readersPerRun: 2 };
/** A second secret that signs tokens. */
export const DOCUMENTED_SECRET = '9d41c6e2b85f4a07a3e1d0f7c2b96e58';
const HOUR_SECONDS = 3_600;
const SPENT = 'spent' as ApplicationId;
const unbounded = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };
const tier = (application: object) => ({ user: unbounded, application: { ...unbounded, ...application } });
/** Allowances that are soon used up. */
export const DOCUMENTED_TIERS = {
  default: tier({}),
  spent: tier({ requestsPerMinute: 1 }),
  busy: tier({ concurrentRuns: 1 }),
  connected: tier({ connections: 1 }),
};
const THREADS = '/polylogue/v1/threads';
const LONG = '/long 2000';
const MAX_SPENDING = 5;

interface Place {
  readonly app: TestApp;
  readonly replay: Replay;
  /** A thread of this user whose model is gone. */
  readonly retired: ReadonlyMap<string, string>;
}

type Headers = Readonly<Record<string, string>>;

/** Whoever the request acts for, as native is told. */
function actingUser({ body, path }: DocumentedRequest): Headers {
  const named = body?.user_id ?? path.user_id;
  return typeof named === 'string' ? { 'x-user-id': named } : {};
}

async function json<T>(response: Promise<Response>): Promise<T> {
  const answer = await response;
  if (!answer.ok) throw new Error(`${answer.url} gave ${answer.status}: ${await answer.text()}`);
  return JSON.parse(await answer.text());
}

interface OpenThread {
  readonly id: string;
  readonly number: string;
  ask(text: string): Promise<string>;
  remove(): Promise<void>;
}

async function openThread({ app }: Place, headers: Headers): Promise<OpenThread> {
  const made = await json<{ id: number; thread_id: string }>(app.post('/v1/chat/sessions', { model: 'gpt-4' }, headers));
  const path = `${THREADS}/${made.thread_id}`;
  return {
    id: made.thread_id,
    number: String(made.id),
    ask: async (text) => (await json<{ id: string }>(app.post(`${path}/runs`, { text }, headers))).id,
    remove: async () => void (await app.send(path, { method: 'DELETE', headers })),
  };
}

async function spentKey({ app }: Place): Promise<Arranged> {
  await app.access.createApplication(SPENT, { name: 'Spent' }).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'state_conflict') throw error;
  });
  const key = await app.key({ applicationId: SPENT, tier: 'spent', scopes: [...SCOPES] });
  for (let tries = 1; tries <= MAX_SPENDING; tries += 1) {
    const { status } = await app.send('/polylogue/v1/me', { headers: { authorization: `Bearer ${key}` } });
    if (status === 429) return { values: { key } };
  }
  throw new Error('The allowance of one request a minute does not end.');
}

async function busyKey(place: Place): Promise<Arranged> {
  const key = await place.app.key({ tier: 'busy', scopes: [...SCOPES] });
  const thread = await openThread(place, {});
  await thread.ask(LONG);
  return { values: { key }, end: thread.remove };
}

async function connectedKey(place: Place): Promise<Arranged> {
  const key = await place.app.key({ tier: 'connected', scopes: [...SCOPES] });
  const thread = await openThread(place, {});
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${key}` };
  const { status } = await place.app.send(`${THREADS}/${thread.id}/events`, { headers, signal: stop.signal });
  if (status !== 200) throw new Error(`The first connection gave ${status}.`);
  return { values: { key }, end: async () => stop.abort() };
}

async function fullQueue(place: Place, request: DocumentedRequest): Promise<Arranged> {
  const thread = await openThread(place, actingUser(request));
  await thread.ask(LONG);
  for (let waiting = 0; waiting < DOCUMENTED_BOUNDS.queuedRunsPerThread; waiting += 1) await thread.ask('And then?');
  return { values: { thread_id: thread.id, session_id: thread.number }, end: thread.remove };
}

async function sharedThread({ app }: Place): Promise<Arranged> {
  const thread_id = crypto.randomUUID();
  for (const user_id of ['one', 'another']) await json(app.post('/api/v1/graph/invoke', { message: 'Hello', thread_id, user_id }));
  return { values: { thread_id } };
}

async function crowdedRun(place: Place): Promise<Arranged> {
  const thread = await openThread(place, {});
  const run_id = await thread.ask(LONG);
  const stop = new AbortController();
  for (let readers = 0; readers < DOCUMENTED_BOUNDS.readersPerRun; readers += 1) {
    await place.app.send(`/polylogue/v1/runs/${run_id}/events`, { signal: stop.signal });
  }
  return {
    values: { run_id },
    async end() {
      stop.abort();
      await thread.remove();
    },
  };
}

async function crowdedAnswer({ app, replay }: Place, request: DocumentedRequest): Promise<Arranged> {
  const repeat_key = crypto.randomUUID();
  const stop = new AbortController();
  const repeated = { ...request, headers: { ...request.headers, 'idempotency-key': repeat_key } };
  const responses: Response[] = [];
  for (let readers = 0; readers < DOCUMENTED_BOUNDS.readersPerRun; readers += 1) responses.push(await replay.open(repeated, stop.signal));
  return {
    values: { repeat_key },
    async end() {
      stop.abort();
      await app.send(`${THREADS}/${responses[0]?.headers.get('x-thread-id')}`, { method: 'DELETE', headers: actingUser(request) });
    },
  };
}

interface Listed {
  readonly data: readonly { readonly id: string; readonly parts?: readonly object[] }[];
}

/** The run that the first event of a thread names. */
async function firstRunOf({ app }: Place, thread: string, headers: Headers): Promise<string> {
  const stop = new AbortController();
  const response = await app.send(`${THREADS}/${thread}/events?after=0`, { headers, signal: stop.signal });
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    const [, run] = /"run_id":"([^"]+)"/.exec(text) ?? [];
    if (run !== undefined) return run;
  }
  throw new Error(`No event of the thread names a run: ${text}`);
}

/** Cancels the answer to the long question as soon as there is one. */
async function cancelLong(place: Place, headers: Headers): Promise<void> {
  const { app } = place;
  const threads = await json<Listed>(app.send(`${THREADS}?limit=5`, { headers }));
  for (const { id } of threads.data) {
    const { data } = await json<Listed>(app.send(`${THREADS}/${id}/messages?limit=2`, { headers }));
    if (!data.some(({ parts }) => JSON.stringify(parts).includes(LONG))) continue;
    const run = await firstRunOf(place, id, headers);
    await json(app.send(`/polylogue/v1/runs/${run}/cancel`, { method: 'POST', headers }));
  }
}

function cancelled(place: Place, request: DocumentedRequest): Arranged {
  return {
    values: {},
    async meanwhile(signal) {
      for (; !signal.aborted; await sleep(20)) await cancelLong(place, actingUser(request));
    },
  };
}

/** A server that shows its figures to operators only. */
async function startGuarded(): Promise<{ key: string; server: TestApp }> {
  const server = await startTestApp({ file: { metrics: { public: false } } });
  return { key: await server.key(), server };
}

function expiredToken(): Promise<string> {
  const clock = { ...systemClock, now: () => Date.now() - 2 * HOUR_SECONDS * 1_000 };
  return mintToken({ secret: DOCUMENTED_SECRET, userId: 'user123', expiresInSeconds: HOUR_SECONDS, clock });
}

async function keyWithout({ app }: Place, scope: Scope): Promise<Arranged> {
  return { values: { key: await app.key({ scopes: SCOPES.filter((one) => one !== scope) }) } };
}

async function usedRepeatKey({ app }: Place, request: DocumentedRequest): Promise<Arranged> {
  const repeat_key = crypto.randomUUID();
  await json(app.post(THREADS, { title: 'Something else' }, { ...actingUser(request), 'idempotency-key': repeat_key }));
  return { values: { repeat_key } };
}

/** Arranges on a server that has `DOCUMENTED_BOUNDS` and `DOCUMENTED_TIERS`. */
export function createArrangements(place: Place): Arrangements {
  let guarded: ReturnType<typeof startGuarded> | null = null;
  const onGuarded = async (): Promise<Arranged> => {
    guarded ??= startGuarded();
    const { key, server } = await guarded;
    return { values: { key }, server };
  };
  const ways: Readonly<Record<Circumstance, (request: DocumentedRequest) => Arranged | Promise<Arranged>>> = {
    keyWithoutRead: () => keyWithout(place, 'read'),
    keyWithoutWrite: () => keyWithout(place, 'write'),
    keyWithoutAdmin: () => keyWithout(place, 'admin'),
    keyWithoutActAs: () => keyWithout(place, 'act_as'),
    spentKey: () => spentKey(place),
    busyKey: () => busyKey(place),
    connectedKey: () => connectedKey(place),
    otherToken: async () => ({ values: { token: await place.app.token('somebody-else') } }),
    expiredToken: async () => ({ values: { token: await expiredToken() } }),
    usedRepeatKey: (request) => usedRepeatKey(place, request),
    namedModels: () => ({ values: {} }),
    retiredModel: (request) => ({ values: { thread_id: place.retired.get(String(actingUser(request)['x-user-id'])) ?? '' } }),
    fullQueue: (request) => fullQueue(place, request),
    sharedThread: () => sharedThread(place),
    crowdedRun: () => crowdedRun(place),
    crowdedAnswer: (request) => crowdedAnswer(place, request),
    cancelled: (request) => cancelled(place, request),
    longBody: () => ({ values: { body: JSON.stringify({ text: 'x'.repeat(DOCUMENTED_BOUNDS.bodyBytes) }) } }),
    largeFile: () => ({ values: { file: pdfOf(MAX_FILE_BYTES + 1).toString('latin1') } }),
    guardedMetrics: onGuarded,
  };
  return {
    arrange: async (given, request) => ways[given](request),
    close: async () => (await guarded)?.server.close(),
  };
}

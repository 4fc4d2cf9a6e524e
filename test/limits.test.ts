import { afterEach, describe, expect, test, vi } from 'vitest';
import { createDoorClient, type DoorHouse } from './doors/door-client.ts';
import { houseDoors } from './doors/doors.ts';
import type { ProofStore } from './proofs/stores.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { openChatSocket } from './support/chat-socket.ts';
import { proofStores } from './support/proof-stores.ts';
import { answer, type Step, startUpstream, type Upstream } from './support/upstream.ts';

const USER = 'ann';
const HTTP_ASKS = 190;
const SOCKET_ASKS = 10;
const THREADS = '/polylogue/v1/threads';

interface Houses {
  readonly apps: readonly TestApp[];
  readonly upstream: Upstream;
}

interface Setting {
  readonly store: ProofStore;
  /** The allowance of each user. */
  readonly user: Readonly<Record<string, number>>;
  readonly steps?: readonly Step[];
}

/** As many servers as can share the store, at most two, with one model behind them. */
async function withHouses({ store, user, steps = answer(['Yes.']) }: Setting, work: (houses: Houses) => Promise<void>): Promise<void> {
  const upstream = await startUpstream(steps);
  const start = () =>
    startTestApp({
      env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k' },
      file: { models: { 'gpt-4': { provider: 'openai' } }, tiers: { default: { user } } },
      databaseUrl: store.databaseUrl ?? '',
    });
  const apps = [await start(), ...(store.databaseUrl === null ? [] : [await start()])];
  try {
    await work({ apps, upstream });
  } finally {
    for (const app of apps) await app.close();
    await upstream.close();
    await store.remove();
  }
}

interface Outcome {
  readonly status: number;
  readonly retryAfter: string | null;
}

/**
 * Asks through every door of every server at once; gives what became of the HTTP requests, and how many frames the socket refused. Calls back
 * when no more than one of them has not been refused yet.
 */
async function askEverywhere({ apps, upstream }: Houses, onLast = () => {}): Promise<{ http: readonly Outcome[]; refusedFrames: number }> {
  const clients = await Promise.all(
    apps.flatMap((app) =>
      houseDoors.map(async (door) => {
        const house: DoorHouse = { app, upstream, script: () => undefined, close: async () => undefined };
        const client = await createDoorClient(house, door, USER);
        const place = await client.begin();
        return (text: string) => client.call(door.ask({ user: USER, place, text }));
      }),
    ),
  );
  const [app] = apps;
  if (!app) throw new Error('There is no server.');
  const socket = await openChatSocket(app.url, `?token=${await app.token(USER)}`);
  const refusedFrames = () => socket.frames.filter(({ type }) => type === 'error').length;
  let refused = 0;
  const countRefusals = () => {
    if (refused + refusedFrames() >= HTTP_ASKS + SOCKET_ASKS - 1) onLast();
  };
  socket.socket.on('message', countRefusals);
  const asks = Array.from({ length: HTTP_ASKS }, async (_, index) => {
    const response = await clients[index % clients.length]?.(`Question ${index}`);
    if (response?.status === 429) refused += 1;
    countRefusals();
    await response?.text();
    return { status: response?.status ?? 0, retryAfter: response?.headers.get('retry-after') ?? null };
  });
  for (let frame = 0; frame < SOCKET_ASKS; frame += 1) socket.send({ type: 'message', content: `Frame ${frame}` });
  const http = await Promise.all(asks);
  const answered = () => refusedFrames() + upstream.requests.length;
  await vi.waitUntil(() => answered() >= SOCKET_ASKS, { timeout: 10_000 });
  await socket.close();
  return { http, refusedFrames: refusedFrames() };
}

function expectOneOf(asked: { http: readonly Outcome[]; refusedFrames: number }, upstream: Upstream): void {
  const { http, refusedFrames } = asked;
  const accepted = http.filter(({ status }) => status < 300).length;
  expect(accepted + (SOCKET_ASKS - refusedFrames)).toBe(1);
  expect(upstream.requests).toHaveLength(1);
  for (const { status, retryAfter } of http.filter((outcome) => outcome.status >= 300)) {
    expect(status).toBe(429);
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    expect(Number(retryAfter)).toBeLessThanOrEqual(60);
  }
}

const stores = await proofStores();

afterEach(() => {
  vi.useRealTimers();
});

for (const { name, skip, open } of stores) {
  describe.skipIf(skip)(`limits on ${name}`, () => {
    test('of 200 messages at once through every door one is taken where one a minute is allowed', async () => {
      await withHouses({ store: await open(), user: { messagesPerMinute: 1 } }, async (houses) => {
        expectOneOf(await askEverywhere(houses), houses.upstream);
      });
    });

    test('of 200 messages at once through every door one is taken where one unfinished answer is allowed', async () => {
      const last = Promise.withResolvers<void>();
      const [head, ...rest] = answer(['Yes.']);
      const slow: Step[] = [...(head ? [head] : []), { until: last.promise }, { waitMs: 1_000 }, ...rest];
      await withHouses({ store: await open(), user: { concurrentRuns: 1 }, steps: slow }, async (houses) => {
        expectOneOf(await askEverywhere(houses, last.resolve), houses.upstream);
        const [app] = houses.apps;
        const headers = { authorization: `Bearer ${await app?.token(USER)}` };
        const thread = (await (await app?.post(THREADS, {}, headers))?.json()) as { id: string };
        const again = async () => (await app?.post(`${THREADS}/${thread.id}/runs`, { text: 'And now?' }, headers))?.status;
        await vi.waitUntil(async () => (await again()) === 202, { timeout: 15_000, interval: 200 });
      });
    });

    test('a repeat is answered though nothing is left, and takes nothing', async () => {
      await withHouses({ store: await open(), user: { messagesPerMinute: 2 } }, async ({ apps, upstream }) => {
        const app = apps.at(-1) as TestApp;
        const authorization = `Bearer ${await app.token(USER)}`;
        const { id } = (await (await app.post(THREADS, {}, { authorization })).json()) as { id: string };
        const ask = (text: string, key: string) => app.post(`${THREADS}/${id}/runs`, { text }, { authorization, 'idempotency-key': key });
        const first = await ask('One?', 'k1');
        expect([first.status, first.headers.get('x-ratelimit-remaining')]).toEqual([202, '1']);
        for (let repeat = 0; repeat < 5; repeat += 1) {
          const again = await ask('One?', 'k1');
          expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
        }
        expect((await ask('Two?', 'k2')).status).toBe(202);
        const refused = await ask('Three?', 'k3');
        expect([refused.status, refused.headers.get('x-ratelimit-remaining')]).toEqual([429, '0']);
        const again = await ask('Two?', 'k2');
        expect([again.status, again.headers.get('x-run-id')]).toEqual([202, (await ask('Two?', 'k2')).headers.get('x-run-id')]);
        expect((await ask('Something else?', 'k2')).status).toBe(422);
        await vi.waitUntil(() => upstream.requests.length >= 2);
        expect(upstream.requests).toHaveLength(2);
      });
    });
  });
}

test('what is refused for another reason costs no message', async () => {
  const [embedded] = stores;
  await withHouses({ store: await (embedded ?? expect.fail()).open(), user: { messagesPerMinute: 1 } }, async ({ apps: [app] }) => {
    if (!app) throw new Error('There is no server.');
    const authorization = `Bearer ${await app.token(USER)}`;
    const { id } = (await (await app.post(THREADS, {}, { authorization })).json()) as { id: string };
    const ask = (body: object, thread = id) => app.post(`${THREADS}/${thread}/runs`, body, { authorization });
    for (const body of [{ text: ' ' }, { text: 'Hm?', model: 'none' }, { regenerate: '01900000-0000-7000-8000-00000000dead' }]) {
      expect((await ask(body)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await ask({ text: 'Hm?' }, '01900000-0000-7000-8000-00000000dead')).status).toBe(404);
    expect((await ask({ text: 'Hm?' })).status).toBe(202);
    expect((await ask({ text: 'Hm?' })).status).toBe(429);
  });
});

test('a client that waits as the headers say is never refused', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
  const user = { requestsPerMinute: 4, messagesPerMinute: 2, messagesPerHour: 5 };
  const app = await startTestApp({ file: { tiers: { default: { user } } } });
  const authorization = `Bearer ${await app.key()}`;
  const headers = { authorization, 'x-user-id': USER };
  const wait = (seconds: string | null) => vi.setSystemTime(Date.now() + Number(seconds) * 1000);
  try {
    const { session_id } = (await (await app.post('/levia/chat/create', { user_id: USER }, headers)).json()) as { session_id: string };
    for (let message = 0; message < 12; message += 1) {
      for (const [path, body] of [
        [THREADS, {}],
        ['/levia/chat', { user_id: USER, session_id, intent: 'Hello?' }],
      ] as const) {
        const response = await app.post(path, body, headers);
        await response.text();
        expect(response.status, `message ${message} at ${path}`).toBeLessThan(300);
        if (response.headers.get('x-ratelimit-remaining') === '0') wait(response.headers.get('x-ratelimit-reset'));
      }
    }
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const response = await app.post(THREADS, {}, headers);
      await response.text();
      statuses.push(response.status);
      if (response.status === 429) wait(response.headers.get('retry-after'));
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    expect(statuses.indexOf(429)).toBeGreaterThan(0);
  } finally {
    await app.close();
  }
});

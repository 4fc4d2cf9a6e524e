import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { askEverywhere, expectOneOf, type Houses, withHouses } from './doors/ask-everywhere.ts';
import { embeddedStore } from './proofs/stores.ts';
import type { TestApp } from './support/app.ts';
import { type ChatSocket, openChatSocket } from './support/chat-socket.ts';
import { proofStores } from './support/proof-stores.ts';
import { answer, type Step } from './support/upstream.ts';

const AT_ONCE = 200;
const USERS = ['ann', 'bob', 'eve', 'joe', 'kim'];
const HI = { model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }] };
const NOWHERE = '01900000-0000-7000-8000-00000000dead';
const unbounded = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };

/** Whose bound is tried: one user asks, or many users of one application do. */
const bounded = [
  ['a user', () => 'ann', (allowance: object) => ({ user: { ...unbounded, ...allowance }, application: unbounded })],
  [
    'an application',
    (index: number) => USERS[index % USERS.length] ?? '',
    (allowance: object) => ({ user: unbounded, application: { ...unbounded, ...allowance } }),
  ],
] as const;

interface Asker {
  readonly app: TestApp;
  readonly user: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function askersOf({ apps: [app] }: Houses, userAt: (index: number) => string): Promise<(index: number) => Asker> {
  if (!app) throw new Error('There is no server.');
  const users = [...new Set(USERS.map((_, index) => userAt(index)))];
  const askers = await Promise.all(
    users.map(async (user): Promise<Asker> => ({ app, user, headers: { authorization: `Bearer ${await app.token(user)}` } })),
  );
  return (index) => askers[index % askers.length] ?? expect.fail();
}

/** A beginning and then nothing until `end`, and the rest. */
function slowAnswer(end: Promise<void>): readonly Step[] {
  const [head, ...rest] = answer(['Yes.']);
  return [...(head ? [head] : []), { until: end }, { waitMs: 500 }, ...rest];
}

type Outcome = 'taken' | 'refused';

/** A socket of a user's: taken when it answers, refused when it is closed as one that may come again later. */
async function knock({ app, headers }: Asker, code: string): Promise<{ outcome: Outcome; chat: ChatSocket }> {
  const chat = await openChatSocket(app.url, '', { headers });
  chat.send({ type: 'ping' });
  const answered = await chat.next('pong').then(
    () => true,
    () => false,
  );
  if (!answered) expect(await chat.closed).toEqual({ code: 1013, reason: code });
  return { outcome: answered ? 'taken' : 'refused', chat };
}

function outcomeOf({ status, headers }: Response): Outcome {
  if (status !== 429) return 'taken';
  expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  return 'refused';
}

let opened: ChatSocket[] = [];
let leave: AbortController;

beforeEach(() => {
  leave = new AbortController();
});

afterEach(async () => {
  leave.abort();
  await Promise.all(opened.map((chat) => chat.close()));
  opened = [];
});

/** One small request at each door. */
const readings: readonly ((asker: Asker) => Promise<Response>)[] = [
  ({ app, headers }) => app.send('/polylogue/v1/threads', { headers }),
  ({ app, headers, user }) => app.send(`/levia/chat/request/${user}`, { headers }),
  ({ app, headers }) => app.send('/v1/chat/history', { headers }),
  ({ app, headers }) => app.send(`/api/v1/threads/${NOWHERE}`, { headers }),
  ({ app, headers, user }) => app.send(`/api/${user}/conversations`, { headers }),
];

describe.each(bounded)('where one request of %s is left', (_name, userAt, tierOf) => {
  const SOCKETS = 2;

  test('of 200 at once at every door, of sockets and of frames, one is let in', async () => {
    await withHouses({ store: embeddedStore, tier: tierOf({ requestsPerMinute: SOCKETS + 1 }) }, async (houses) => {
      const askerAt = await askersOf(houses, userAt);
      for (let index = 0; index < SOCKETS; index += 1) {
        const { outcome, chat } = await knock(askerAt(index), 'rate_limited');
        expect(outcome).toBe('taken');
        opened.push(chat);
      }
      const attempt = async (index: number): Promise<Outcome> => {
        const kind = index % (readings.length + 2);
        const read = readings[kind];
        if (read) return outcomeOf(await read(askerAt(index)));
        if (kind === readings.length) {
          const { outcome, chat } = await knock(askerAt(index), 'rate_limited');
          opened.push(chat);
          return outcome;
        }
        return frameOutcome(opened[index % SOCKETS] ?? expect.fail());
      };
      const outcomes = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => attempt(index)));
      expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(1);
    });
  });
});

/** Asks on a socket for the history of a thread of its own, so that the answer can be told from others. */
async function frameOutcome(chat: ChatSocket): Promise<Outcome> {
  const thread_id = crypto.randomUUID();
  chat.send({ type: 'history', thread_id });
  const isAnswer = (frame: { thread_id?: string; type: string }) =>
    frame.thread_id === thread_id && ['error', 'history_end'].includes(frame.type);
  await vi.waitUntil(() => chat.frames.some(isAnswer), { timeout: 10_000, interval: 10 });
  const { code = null } = chat.frames.find(isAnswer) ?? {};
  expect([null, 'rate_limited']).toContain(code);
  return code === null ? 'taken' : 'refused';
}

describe.each(bounded)('where %s may have one connection', (_name, userAt, tierOf) => {
  /** A thread of the asker's in which something is being answered. */
  async function beginIn({ app, headers }: Asker): Promise<{ thread: string; run: string }> {
    const { id } = (await (await app.post('/polylogue/v1/threads', {}, headers)).json()) as { id: string };
    const run = await app.post(`/polylogue/v1/threads/${id}/runs`, { text: 'Hi' }, headers);
    expect(run.status).toBe(202);
    return { thread: id, run: run.headers.get('x-run-id') ?? '' };
  }

  test('of 200 streams and sockets at once one is opened, and another when that is closed', async () => {
    const end = Promise.withResolvers<void>();
    await withHouses({ store: embeddedStore, tier: tierOf({ connections: 1 }), steps: slowAnswer(end.promise) }, async (houses) => {
      const askerAt = await askersOf(houses, userAt);
      const places = await Promise.all(USERS.map((_, index) => beginIn(askerAt(index))));
      const { signal } = leave;
      const get = ({ app, headers }: Asker, path: string) => app.send(path, { headers, signal });
      const post = ({ app, headers }: Asker, path: string, body: object) =>
        app.send(path, { method: 'POST', signal, body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } });
      const streams: readonly ((asker: Asker, place: { thread: string; run: string }) => Promise<Response>)[] = [
        (asker, { thread }) => get(asker, `/polylogue/v1/threads/${thread}/events`),
        (asker, { run }) => get(asker, `/polylogue/v1/runs/${run}/events`),
        (asker, { run }) => get(asker, `/levia/chat/stream/${run}`),
        (asker) => post(asker, '/v1/chat/stream', HI),
        (asker) => post(asker, '/api/v1/graph/stream', { message: 'Hi' }),
      ];
      const attempt = async (index: number): Promise<Outcome> => {
        const open = streams[index % (streams.length + 1)];
        // So that every user comes by every way.
        const who = Math.floor(index / (streams.length + 1));
        if (open) return outcomeOf(await open(askerAt(who), places[who % places.length] ?? expect.fail()));
        const { outcome, chat } = await knock(askerAt(who), 'too_many_connections');
        opened.push(chat);
        return outcome;
      };
      const outcomes = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => attempt(index)));
      expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(1);
      leave.abort();
      await Promise.all(opened.map((chat) => chat.close()));
      await vi.waitUntil(
        async () => {
          const { outcome, chat } = await knock(askerAt(1), 'too_many_connections');
          opened.push(chat);
          return outcome === 'taken';
        },
        { timeout: 10_000, interval: 50 },
      );
      end.resolve();
    });
  });
});

for (const { name, skip, open } of await proofStores()) {
  describe.skipIf(skip)(`where an application has one left, on ${name}`, () => {
    const [, [, userAt, tierOf]] = bounded;

    test('of 200 messages of many users at once through every door one is taken', async () => {
      await withHouses({ store: await open(), tier: tierOf({ messagesPerMinute: 1 }) }, async (houses) => {
        expectOneOf(await askEverywhere(houses, { userAt }), houses.upstream);
      });
    });

    test('of 200 answers for many users at once through every door one is begun', async () => {
      const last = Promise.withResolvers<void>();
      const steps = slowAnswer(last.promise);
      await withHouses({ store: await open(), tier: tierOf({ concurrentRuns: 1 }), steps }, async (houses) => {
        expectOneOf(await askEverywhere(houses, { userAt, onLast: last.resolve }), houses.upstream);
      });
    });
  });
}

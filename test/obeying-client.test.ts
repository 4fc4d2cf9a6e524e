import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Door } from './doors/door.ts';
import { houseDoors } from './doors/doors.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { openChatSocket, type ServerFrame } from './support/chat-socket.ts';

const USER = 'ann';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const unbounded = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };

let app: TestApp;
let headers: { readonly authorization: string; readonly 'x-user-id': string };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
});
afterEach(async () => {
  await app.close();
  vi.useRealTimers();
});

interface Bounds {
  readonly user?: Partial<Record<keyof typeof unbounded, number>>;
  readonly application?: Partial<Record<keyof typeof unbounded, number>>;
}

/** A server on which everybody has these allowances, and a key to it. */
async function serve({ user, application }: Bounds): Promise<void> {
  const bounded = { user: { ...unbounded, ...user }, application: { ...unbounded, ...application } };
  app = await startTestApp({ file: { tiers: { default: bounded, free: { user: unbounded, application: unbounded } } } });
  headers = { authorization: `Bearer ${await app.key()}`, 'x-user-id': USER };
}

const send = (call: ReturnType<Door['begin']>, shown = headers) =>
  app.send(call.path, {
    method: call.method,
    headers: { ...shown, 'content-type': 'application/json' },
    ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
  });

/** A conversation of each door, made with a key that nothing is counted for. */
async function openDoors(): Promise<readonly ((text: string) => Promise<Response>)[]> {
  const free = { ...headers, authorization: `Bearer ${await app.key({ tier: 'free' })}` };
  return Promise.all(
    houseDoors.map(async (door) => {
      const begun = (await (await send(door.begin(USER), free)).json()) as Readonly<Record<string, unknown>>;
      return async (text: string) => {
        const response = await send(door.ask({ user: USER, place: door.placeIn(begun), text }));
        await response.text();
        const run = response.headers.get('x-run-id');
        if (door.follow && run) await (await send(door.follow(run), free)).text();
        return response;
      };
    }),
  );
}

const numberIn = (response: Response, name: string) => Number(response.headers.get(`x-ratelimit-${name}`));
const wait = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

/** Waits where one of the answers says that nothing is left. */
function heed(responses: readonly Response[]): void {
  const spent = responses.filter((response) => numberIn(response, 'remaining') === 0);
  if (spent.length > 0) wait(Math.max(...spent.map((response) => numberIn(response, 'reset'))));
}

const everyRate: readonly (readonly [string, Bounds])[] = [
  ['requests', { user: { requestsPerMinute: 5 } }],
  ['messages in a minute', { user: { messagesPerMinute: 3 } }],
  ['messages in an hour', { user: { messagesPerHour: 6 } }],
  ['messages in a minute of few and in an hour of many', { user: { messagesPerMinute: 4, messagesPerHour: 20 } }],
  ['everything', { user: { requestsPerMinute: 7, messagesPerMinute: 5, messagesPerHour: 16 } }],
  ["the application's", { application: { requestsPerMinute: 7, messagesPerMinute: 5, messagesPerHour: 16 } }],
  ["the user's and the application's", { user: { messagesPerMinute: 6, messagesPerHour: 14 }, application: { requestsPerMinute: 5 } }],
];

test.each(everyRate)('who sends at once no more than is left, and waits when nothing is, is never refused: %s', async (_name, bounds) => {
  await serve(bounds);
  const doors = await openDoors();
  const statuses: number[] = [];
  const told = new Set<string>();
  let asked = 0;
  const askNext = () => {
    asked += 1;
    return doors[asked % doors.length]?.(`Question ${asked}?`) ?? expect.fail('no door');
  };
  while (asked < 30) {
    const first = await askNext();
    const others = await Promise.all(Array.from({ length: numberIn(first, 'remaining') }, askNext));
    for (const response of [first, ...others]) {
      statuses.push(response.status);
      told.add(response.headers.get('ratelimit')?.split(';')[0] ?? '');
    }
    heed([first, ...others]);
  }
  expect(statuses.filter((status) => status >= 300)).toEqual([]);
  expect(told.has('')).toBe(false);
});

test('who is refused and waits as long as told is let in, at every door', async () => {
  await serve({ user: { messagesPerMinute: 2 } });
  for (const ask of await openDoors()) {
    const responses: Response[] = [];
    for (let message = 0; message < 3; message += 1) responses.push(await ask('Hello?'));
    expect(responses.map(({ status }) => status >= 300)).toEqual([false, false, true]);
    wait(Number(responses.at(-1)?.headers.get('retry-after')));
    expect((await ask('And now?')).status).toBeLessThan(300);
    wait(60);
  }
});

test('who hears each answer to its end is never refused where one may be under way', async () => {
  await serve({ user: { concurrentRuns: 1 } });
  const doors = await openDoors();
  for (let round = 0; round < 3; round += 1) {
    for (const ask of doors) {
      const response = await ask('Hello?');
      expect([response.status < 300, response.headers.get('ratelimit')]).toEqual([true, '"concurrent-runs";r=0;t=5']);
    }
  }
});

/** Sends a frame until it is taken, waiting as long as each refusal says; gives how often it was refused. */
async function sendUntilTaken(socket: Awaited<ReturnType<typeof openChatSocket>>, frame: object, taken: string): Promise<number> {
  for (let refusals = 0; ; refusals += 1) {
    const seen = socket.frames.length;
    socket.send(frame);
    const answers = () => socket.frames.slice(seen).filter(({ type }) => type === taken || type === 'error');
    await vi.waitUntil(() => answers().length > 0, { timeout: 5_000 });
    const [answer] = answers() as [ServerFrame];
    if (answer.type === taken) return refusals;
    expect(answer).toMatchObject({ code: 'rate_limited', retry_after: expect.any(Number) });
    wait(answer.retry_after ?? 0);
  }
}

interface Sending {
  readonly name: string;
  readonly bounds: Bounds;
  readonly frameOf: (thread: string) => object;
  /** The frame that says that it was taken. */
  readonly taken: string;
  /** How long twelve of them take at least. */
  readonly least: number;
}

const messages = {
  frameOf: (thread_id: string) => ({ type: 'message', thread_id, content: 'Hello?' }),
  taken: 'message_received',
  least: 2 * HOUR,
};

const sending: readonly Sending[] = [
  { ...messages, name: "messages of a user's", bounds: { user: { messagesPerMinute: 2, messagesPerHour: 5 } } },
  { ...messages, name: "messages of an application's", bounds: { application: { messagesPerMinute: 2, messagesPerHour: 5 } } },
  {
    name: 'frames',
    bounds: { user: { requestsPerMinute: 3 } },
    frameOf: (thread_id) => ({ type: 'history', thread_id }),
    taken: 'history_end',
    least: 3 * MINUTE,
  },
];

test.each(sending)('a socket that waits for retry_after is let in at the next try: $name', async ({ bounds, frameOf, taken, least }) => {
  await serve(bounds);
  const socket = await openChatSocket(app.url, `?key=${headers.authorization.slice(7)}&user_id=${USER}`);
  const began = Date.now();
  const refusals: number[] = [];
  for (let frame = 0; frame < 12; frame += 1) refusals.push(await sendUntilTaken(socket, frameOf(randomUUID()), taken));
  expect(Math.max(...refusals)).toBe(1);
  expect(Date.now() - began).toBeGreaterThanOrEqual(least);
  await socket.close();
});

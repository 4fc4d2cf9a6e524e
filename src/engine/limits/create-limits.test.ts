import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFakeClock } from '../../../test/support/fake-clock.ts';
import { recordingObserver } from '../../../test/support/runs.ts';
import { createMemoryRateLimiter } from '../../backends/limits/memory.ts';
import type { AppError } from '../../core/errors.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Tier, UseLimits } from '../../core/limits.ts';
import type { Caller } from '../../core/principal.ts';
import { createLimits, type Limits } from './create-limits.ts';

const unbounded: UseLimits = {
  requestsPerMinute: null,
  messagesPerMinute: null,
  messagesPerHour: null,
  concurrentRuns: null,
  connections: null,
};
const NOW = 1_700_000_000_000;
const clock = createFakeClock(NOW);
let observer: ReturnType<typeof recordingObserver>;

function limitsOf(user: Partial<UseLimits>, application: Partial<UseLimits> = {}, more: Readonly<Record<string, Tier>> = {}): Limits {
  const tier = { user: { ...unbounded, ...user }, application: { ...unbounded, ...application } };
  const tiers = new Map(Object.entries({ default: tier, ...more }));
  return createLimits({ rates: { requests: createMemoryRateLimiter(), messages: createMemoryRateLimiter() }, tiers, clock, observer });
}

function caller(userId: string, but: Partial<Caller> = {}): Caller {
  return { applicationId: DEFAULT_APPLICATION, userId, tier: 'default', named: true, ...but };
}

const codeOf = (refused: Promise<unknown>) =>
  refused.then(
    () => 'allowed',
    (error: AppError) => error.code,
  );

/** Moves the engine's clock and the one that the limiter looks at. */
function wait(ms: number): void {
  clock.advance(ms);
  vi.advanceTimersByTime(ms);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: clock.now() });
  observer = recordingObserver();
});
afterEach(() => {
  vi.useRealTimers();
});

test('what is used up is refused with the allowance, and with the time after which it is there again', async () => {
  const limits = limitsOf({ messagesPerMinute: 2, messagesPerHour: 3 });
  const ann = caller('ann');
  const send = async () => {
    const charge = await limits.message(ann);
    charge.keep();
    return charge.state;
  };
  expect(await send()).toEqual({ name: 'messages-per-minute', limit: 2, remaining: 1, resetMs: 60_000 });
  wait(10_500);
  expect(await send()).toEqual({ name: 'messages-per-minute', limit: 2, remaining: 0, resetMs: 49_500 });
  await expect(limits.message(ann)).rejects.toMatchObject({
    code: 'rate_limited',
    retryAfterSeconds: 50,
    rate: { name: 'messages-per-minute', limit: 2, remaining: 0, resetMs: 49_500 },
  });
  wait(49_500);
  expect(await send()).toMatchObject({ name: 'messages-per-hour', limit: 3, remaining: 0 });
  await expect(limits.message(ann)).rejects.toMatchObject({ retryAfterSeconds: 3540, rate: { name: 'messages-per-hour' } });
  expect(observer.reports).toEqual([
    ['refused', { code: 'rate_limited', limit: 'messages-per-minute' }],
    ['refused', { code: 'rate_limited', limit: 'messages-per-hour' }],
  ]);
});

test('a user counts for themselves and for their application; a key that acts for nobody counts for the application only', async () => {
  const limits = limitsOf({ messagesPerMinute: 2 }, { messagesPerMinute: 4 });
  const service = caller('service', { named: false });
  for (const who of [caller('ann'), caller('ann'), service]) await limits.message(who);
  expect(await codeOf(limits.message(caller('ann')))).toBe('rate_limited');
  expect((await limits.message(service)).state).toMatchObject({ name: 'application-messages-per-minute', remaining: 0 });
  expect(await codeOf(limits.message(service))).toBe('rate_limited');
  expect(await codeOf(limits.message(caller('bob')))).toBe('rate_limited');
  expect(await codeOf(limits.message(caller('bob', { applicationId: 'other' as Caller['applicationId'] })))).toBe('allowed');
});

test("who the application's limit refuses keeps their own allowance, and the other way round", async () => {
  const limits = limitsOf({ messagesPerMinute: 2, messagesPerHour: 2 }, { messagesPerMinute: 3 });
  const [ann, bob] = [caller('ann'), caller('bob')];
  const eves = await limits.message(caller('eve'));
  await limits.message(ann);
  await limits.message(ann);
  for (let attempt = 0; attempt < 5; attempt += 1) expect(await codeOf(limits.message(bob))).toBe('rate_limited');
  await eves.giveBack();
  for (let attempt = 0; attempt < 5; attempt += 1) expect(await codeOf(limits.message(ann))).toBe('rate_limited');
  expect((await limits.message(bob)).state).toMatchObject({ name: 'application-messages-per-minute', remaining: 0 });
  wait(60_000);
  expect((await limits.message(bob)).state).toMatchObject({ name: 'messages-per-hour', remaining: 0 });
});

test('what is given back after its window gives nobody a point in the next one', async () => {
  const limits = limitsOf({ messagesPerMinute: 1 });
  const early = await limits.message(caller('ann'));
  wait(60_000);
  await limits.message(caller('ann'));
  await early.giveBack();
  expect(await codeOf(limits.message(caller('ann')))).toBe('rate_limited');
});

test('a client that waits as it is told is never refused', async () => {
  const limits = limitsOf({ messagesPerMinute: 3, messagesPerHour: 10 }, { messagesPerMinute: 5, messagesPerHour: 100 });
  for (let message = 0; message < 25; message += 1) {
    const { state } = await limits.message(caller('ann'));
    wait(777);
    if (state?.remaining === 0) wait(Math.ceil(state.resetMs / 1000) * 1000);
  }
  expect(clock.now() - NOW).toBeGreaterThan(2 * 3_600_000);
  expect(observer.reports).toEqual([]);
});

test('of many messages at once exactly as many come through as there is room for', async () => {
  const limits = limitsOf({ messagesPerMinute: 10, messagesPerHour: 12 }, { messagesPerMinute: 15 });
  const senders = ['ann', 'bob', 'eve'].flatMap((user) => Array.from({ length: 20 }, () => caller(user)));
  const answers = await Promise.all(senders.map((sender) => codeOf(limits.message(sender))));
  expect(answers.filter((answer) => answer === 'allowed')).toHaveLength(15);
});

test('requests are counted for the user and the application, apart from messages', async () => {
  const limits = limitsOf({ requestsPerMinute: 10, messagesPerMinute: 1 }, { requestsPerMinute: 15 });
  const send = (user: string) => Promise.all(Array.from({ length: 20 }, () => codeOf(limits.request(caller(user)))));
  expect((await send('ann')).filter((answer) => answer === 'allowed')).toHaveLength(10);
  expect((await send('bob')).filter((answer) => answer === 'allowed')).toHaveLength(5);
  expect(await codeOf(limits.message(caller('ann')))).toBe('allowed');
});

test('connections are counted until they are given up, once however often that is said', () => {
  const limits = limitsOf({ connections: 2 }, { connections: 3 });
  const [first] = [limits.connect(caller('ann')), limits.connect(caller('ann'))];
  expect(() => limits.connect(caller('ann'))).toThrow(expect.objectContaining({ code: 'too_many_connections' }));
  const third = limits.connect(caller('bob'));
  expect(() => limits.connect(caller('bob'))).toThrow(
    expect.objectContaining({ rate: expect.objectContaining({ name: 'application-connections', limit: 3, remaining: 0 }) }),
  );
  first?.();
  first?.();
  limits.connect(caller('ann'));
  expect(() => limits.connect(caller('ann'))).toThrow();
  third();
  limits.connect(caller('bob'));
});

test.each(['gone', '__proto__', 'constructor', ''])('a tier named %j that is not there is the default one', async (tier) => {
  const limits = limitsOf({ messagesPerMinute: 1, concurrentRuns: 7 });
  expect(limits.unfinished(caller('ann', { tier }))).toEqual({ user: 7, application: null });
  expect((await limits.message(caller('ann', { tier }))).state).toMatchObject({ limit: 1 });
});

test('two tiers of one user are no two allowances', async () => {
  const generous = { user: { ...unbounded, messagesPerMinute: 5 }, application: unbounded };
  const limits = limitsOf({ messagesPerMinute: 3 }, {}, { generous });
  for (let message = 0; message < 3; message += 1) await limits.message(caller('ann', { tier: 'generous' }));
  expect(await codeOf(limits.message(caller('ann')))).toBe('rate_limited');
  expect((await limits.message(caller('ann', { tier: 'generous' }))).state).toMatchObject({ limit: 5, remaining: 1 });
});

test('without bounds nothing is counted', async () => {
  const limits = limitsOf({});
  expect(await limits.request(caller('ann'))).toBeNull();
  expect((await limits.message(caller('ann'))).state).toBeNull();
  expect(limits.unfinished(caller('ann', { named: false }))).toEqual({ user: null, application: null });
});

test('who is refused while points may come back is told to ask again soon', async () => {
  const limits = limitsOf({}, { messagesPerMinute: 2 });
  const [first, second] = [await limits.message(caller('ann')), await limits.message(caller('ann'))];
  const soon = { retryAfterSeconds: 1, rate: { name: 'application-messages-per-minute', remaining: 0, resetMs: 1_000 } };
  await expect(limits.message(caller('bob'))).rejects.toMatchObject(soon);
  first.keep();
  await expect(limits.message(caller('bob'))).rejects.toMatchObject(soon);
  second.keep();
  await expect(limits.message(caller('bob'))).rejects.toMatchObject({ retryAfterSeconds: 60, rate: { resetMs: 60_000 } });
  wait(60_000);
  const [third, fourth] = [await limits.message(caller('ann')), await limits.message(caller('ann'))];
  third.keep();
  await fourth.giveBack();
  (await limits.message(caller('bob'))).keep();
  await expect(limits.message(caller('bob'))).rejects.toMatchObject({ retryAfterSeconds: 60 });
});

import { expect, test } from 'vitest';
import { ann, beginning, bob, newId, newThread } from '../../../../test/contracts/store-fixtures.ts';
import type { ThreadId } from '../../../core/ids.ts';
import type { BeginResult, BeginRun } from '../../../core/ports/store.ts';
import { createBeginnings } from './beginnings.ts';
import { ConnectionLost } from './failures.ts';

const refused: BeginResult = { kind: 'refused', reason: 'queue_full' };

/** Beginnings over a store that ends its transactions when it is told to. */
function setUp(failure: Error | null = null) {
  const groups: (readonly BeginRun[])[] = [];
  let alone = 0;
  const held = Promise.withResolvers<void>();
  const { begin, stored } = createBeginnings({
    alone: async () => {
      alone += 1;
      await held.promise;
      return refused;
    },
    together: async (inputs) => {
      groups.push(inputs);
      if (failure !== null) throw failure;
      return inputs.map(({ now }) => ({ ...refused, now }));
    },
  });
  const asked = (inputs: readonly BeginRun[]) => Promise.allSettled([...fourAlone(), ...inputs].map(begin));
  return { begin, stored, asked, groups, release: held.resolve, alone: () => alone };
}

/** What keeps all places busy, so that what is behind it is gathered. */
const fourAlone = () => Array.from({ length: 4 }, () => beginning());

test('what comes while others are stored shares transactions, each with its own answer', async () => {
  const { asked, groups, release, alone } = setUp();
  const answers = asked(Array.from({ length: 11 }, (_, now) => beginning({ now })));
  expect([alone(), groups.length]).toEqual([4, 0]);
  release();
  const settled = await answers;
  expect(groups.map((group) => group.length)).toEqual([4, 4, 3]);
  expect(settled.slice(4)).toEqual(Array.from({ length: 11 }, (_, now) => ({ status: 'fulfilled', value: { ...refused, now } })));
  expect(alone()).toBe(4);
});

test('no two of a group are of one thread or under one idempotency key', async () => {
  const { asked, groups, release } = setUp();
  const id = newId<ThreadId>();
  const repeat = { idempotency: { key: 'once', fingerprint: 'f' } };
  const inThread = { thread: { ref: { id } } };
  const answers = asked([
    beginning({ thread: { create: newThread({ id }) } }),
    beginning({ ...inThread, owner: bob }),
    beginning(inThread),
    beginning({ ...repeat, now: 1 }),
    beginning({ ...repeat, now: 2 }),
    beginning({ ...repeat, owner: bob }),
  ]);
  release();
  await answers;
  expect(groups.map((group) => group.map(({ owner }) => owner))).toEqual([
    [ann, bob],
    [ann, ann],
    [ann, bob],
  ]);
});

test('what was asked for is stored when they say so', async () => {
  const { asked, groups, release, stored } = setUp();
  const answers = asked(Array.from({ length: 20 }, () => beginning()));
  release();
  await stored();
  expect(groups.map((group) => group.length)).toEqual([4, 4, 4, 4, 4]);
  await answers;
});

test('a thread that is named by its number, and who has to be counted exactly, has a transaction of its own', () => {
  const { begin, alone } = setUp();
  for (let at = 0; at < 5; at += 1) void begin(beginning({ thread: { ref: { number: at } } }));
  for (let at = 0; at < 5; at += 1) void begin(beginning({ maxUnfinished: { user: 0, application: 5_000 } }));
  expect(alone()).toBe(10);
});

test('a group that cannot be stored is stored one by one', async () => {
  const { asked, groups, release, alone } = setUp(new Error('One of them cannot be stored.'));
  const answers = asked([beginning(), beginning(), beginning()]);
  release();
  expect((await answers).map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 'fulfilled'));
  expect([groups.length, alone()]).toEqual([1, 7]);
});

test('behind groups that cannot be stored, what waits is stored one by one too', async () => {
  const { asked, groups, release, alone } = setUp(new Error('One of them cannot be stored.'));
  const answers = asked(Array.from({ length: 20 }, () => beginning()));
  release();
  await answers;
  expect([groups.length, alone()]).toEqual([4, 24]);
});

test('nothing is tried again on a connection that is lost: it may have been done', async () => {
  const { asked, release, alone } = setUp(new ConnectionLost(new Error('gone')));
  const answers = asked([beginning(), beginning()]);
  release();
  expect((await answers).slice(4).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(alone()).toBe(4);
});

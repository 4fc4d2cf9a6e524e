import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

const never = new AbortController().signal;

/** Takes a turn and says so; gives what ends the turn. */
function createQueue(bounds: { maxWaiting: number; maxPerOwner: number }) {
  const turns = createTurns(bounds);
  const order: string[] = [];
  const ends: (() => void)[] = [];
  const ask = async (owner: string, name: string, signal = never): Promise<void> => {
    ends.push(await turns.take(owner, signal));
    order.push(name);
  };
  /** Ends the turn that runs; those that waited for it have theirs afterwards. */
  const end = async (): Promise<void> => {
    ends.shift()?.();
    await new Promise(setImmediate);
  };
  return { ask, end, order };
}

test('one at a time, and owners take turns however much one of them asks for', async () => {
  const { ask, end, order } = createQueue({ maxWaiting: 10, maxPerOwner: 10 });
  await ask('a', 'a1');
  const asked = [ask('a', 'a2'), ask('a', 'a3'), ask('a', 'a4'), ask('b', 'b1'), ask('c', 'c1'), ask('b', 'b2')];
  expect(order).toEqual(['a1']);
  for (const _ of asked) await end();
  await Promise.all(asked);
  expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  await end();
  await ask('d', 'd1');
  expect(order.at(-1)).toBe('d1');
});

test('too many of one owner or in all are refused, and those that gave up count no more', async () => {
  const { ask, end, order } = createQueue({ maxWaiting: 3, maxPerOwner: 2 });
  await ask('a', 'a1');
  const leaving = new AbortController();
  const left = ask('a', 'a2', leaving.signal);
  const asked = [ask('a', 'a3')];
  await expect(ask('a', 'a4')).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 10 });
  asked.push(ask('b', 'b1'));
  await expect(ask('c', 'c1')).rejects.toMatchObject({ code: 'overloaded' });
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  asked.push(ask('c', 'c2'));
  for (const _ of asked) await end();
  await Promise.all(asked);
  expect(order).toEqual(['a1', 'a3', 'b1', 'c2']);
});

test('who comes with a signal that is already aborted gets no turn', async () => {
  const { ask } = createQueue({ maxWaiting: 3, maxPerOwner: 2 });
  await expect(ask('a', 'a1', AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  await ask('b', 'b1');
});

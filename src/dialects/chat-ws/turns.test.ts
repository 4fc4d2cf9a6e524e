import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

const never = new AbortController().signal;

/** Tasks that end when they are told, and what has begun so far. */
function watch() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => async () => {
    begun.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    return name;
  };
  return { begun, task, end: (name: string) => ends.get(name)?.() };
}

test('at most so many are done at a time, the others in the order in which they came', async () => {
  const { begun, task, end } = watch();
  const turns = createTurns(2);
  const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => turns.take(never, task(name))));
  await expect.poll(() => begun).toEqual(['a', 'b']);
  end('b');
  await expect.poll(() => begun).toEqual(['a', 'b', 'c']);
  end('a');
  end('c');
  await expect.poll(() => begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  end('d');
  end('e');
  expect(await all).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('who goes away while waiting gives the turn to the next', async () => {
  const { begun, task, end } = watch();
  const turns = createTurns(1);
  const gone = new AbortController();
  const first = turns.take(never, task('first'));
  const left = turns.take(gone.signal, task('left'));
  const last = turns.take(never, task('last'));
  await expect.poll(() => begun).toEqual(['first']);
  gone.abort();
  expect(await left).toBeNull();
  end('first');
  expect(await first).toBe('first');
  await expect.poll(() => begun).toEqual(['first', 'last']);
  end('last');
  expect(await last).toBe('last');
  expect(await turns.take(gone.signal, task('late'))).toBeNull();
  expect(begun).toEqual(['first', 'last']);
});

test('a task that fails gives its turn back', async () => {
  const turns = createTurns(1);
  const failed = turns.take(never, () => Promise.reject(new Error('broken')));
  const next = turns.take(never, async () => 'next');
  await expect(failed).rejects.toThrow('broken');
  expect(await next).toBe('next');
});

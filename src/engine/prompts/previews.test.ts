import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/support/fake-clock.ts';
import { recordingObserver } from '../../../test/support/runs.ts';
import { annCalling } from '../../../test/support/stub-engine.ts';
import { randomIds } from '../../backends/ids/random-ids.ts';
import { createTokenCounter } from '../../backends/tokenizer/token-counter.ts';
import type { ModelProvider } from '../../core/ports/model-provider.ts';
import { createPreviews } from './previews.ts';

const model = { name: 'best', provider: 'p', upstream: 'best', window: 8192, maxOutput: 1024 };
const SECOND = 1_000;

/** Rejects when it is aborted, and not before. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

function setUp(stream: ModelProvider['stream']) {
  const clock = createFakeClock();
  const observer = recordingObserver();
  const charges: string[] = [];
  let places = 0;
  const previews = createPreviews({
    catalogue: {
      defaultModel: 'best',
      find: () => model,
      list: () => [model],
      lists: () => true,
      provider: () => ({ stream, listModels: async () => [] }),
    },
    counter: createTokenCounter(),
    ids: randomIds,
    clock,
    observer,
    limits: {
      message: async () => ({ state: null, keep: () => charges.push('kept'), giveBack: async () => void charges.push('given back') }),
    },
    places: {
      enter: async () => {
        places += 1;
        return () => {
          places -= 1;
        };
      },
    },
    answerChars: 10,
  });
  const ask = (signal = new AbortController().signal) => previews.ask('Hello', { caller: annCalling, timeoutMs: 120 * SECOND, signal });
  return { previews, clock, observer, charges, ask, places: () => places };
}

test('a model that does not end is stopped when the time is over', async () => {
  const started = Promise.withResolvers<AbortSignal>();
  const { ask, clock, observer, charges, places, previews } = setUp(async (_request, _sink, signal) => {
    started.resolve(signal);
    return untilAborted(signal);
  });
  const asking = ask();
  asking.catch(() => undefined);
  const signal = await started.promise;
  expect([places(), previews.size]).toEqual([1, 1]);
  clock.advance(120 * SECOND - 1);
  expect(signal.aborted).toBe(false);
  clock.advance(1);
  await expect(asking).rejects.toMatchObject({ code: 'run_timeout' });
  expect([places(), previews.size, charges]).toEqual([0, 0, ['kept']]);
  expect(JSON.stringify(observer.reports)).toContain('"code":"run_timeout"');
});

test('a model that says more than is taken is stopped, also when it only thinks', async () => {
  for (const type of ['text', 'reasoning'] as const) {
    const { ask } = setUp(async (_request, sink, signal) => {
      const stopped = untilAborted(signal);
      for (let piece = 0; piece < 4; piece += 1) await sink({ type, text: '123' });
      return stopped;
    });
    await expect(ask()).rejects.toMatchObject({ code: 'run_failed', message: expect.stringContaining('longer') });
  }
});

test('nobody is charged who has left before the model was asked', async () => {
  const { ask, charges, places } = setUp(async () => ({ reason: 'stop', usage: null }));
  const reason = new Error('left');
  await expect(ask(AbortSignal.abort(reason))).rejects.toBe(reason);
  expect([charges, places()]).toEqual([['given back'], 0]);
});

test('a draining server takes no further preview, and ends those under way when it must', async () => {
  const started = Promise.withResolvers<void>();
  const { ask, previews } = setUp(async (_request, _sink, signal) => {
    started.resolve();
    return untilAborted(signal);
  });
  const asking = ask();
  asking.catch(() => undefined);
  await started.promise;
  previews.startDraining();
  await expect(ask()).rejects.toMatchObject({ code: 'draining' });
  previews.stop();
  await expect(asking).rejects.toMatchObject({ code: 'draining' });
});

test('what breaks in a provider is reported, and told without its words', async () => {
  const { ask, observer } = setUp(async () => {
    throw new TypeError('secret detail');
  });
  const failure = await ask().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'run_failed' });
  expect(String(failure)).not.toContain('secret');
  expect(JSON.stringify(observer.reports)).toContain('model');
});

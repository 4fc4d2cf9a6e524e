import { expect, test } from 'vitest';
import { recordingObserver } from '../../test/support/runs.ts';
import { combineObservers } from './combine-observers.ts';
import { DEFAULT_APPLICATION, type RunId } from './ids.ts';

test('an observer that throws is reported and keeps nothing from the others', () => {
  const broken = new Proxy(recordingObserver(), {
    get: () => () => {
      throw new Error('broken');
    },
  });
  const [first, last] = [recordingObserver(), recordingObserver()];
  const failures: unknown[] = [];
  const observer = combineObservers([first, broken, last], (error) => failures.push(error));
  const id = 'run' as RunId;
  observer.runBegun({ id, model: 'm', storeMs: 1 });
  observer.runQueued({ id, model: 'm' });
  observer.runStarted({ id, model: 'm', attempt: 1, queuedMs: 2 });
  observer.modelCalled({ id, call: 1, provider: 'p', upstream: 'u' });
  observer.firstToken({ id, model: 'm', sinceStartMs: 3 });
  observer.modelReturned({ id, call: 1, code: null, usage: null });
  observer.toolReturned({ id, name: 't', status: 'completed', durationMs: 2 });
  observer.flushed({ segments: 1, ends: 0, bytes: 9, durationMs: 1 });
  observer.delivered([4]);
  observer.flushFailed('full');
  observer.runEnding({ id });
  observer.runEnded({ id, model: 'm', status: 'completed', code: null, usage: null, durationMs: 5 });
  observer.refused({ code: 'rate_limited', limit: 'messages-per-minute' });
  observer.accessChanged({ what: 'application created', applicationId: DEFAULT_APPLICATION, keyId: null, by: null });
  observer.faulted('run', 'why');
  expect(first.reports.map(([name]) => name)).toEqual([
    ...[
      'runBegun',
      'runQueued',
      'runStarted',
      'modelCalled',
      'firstToken',
      'modelReturned',
      'toolReturned',
      'flushed',
      'delivered',
      'flushFailed',
    ],
    ...['runEnding', 'runEnded', 'refused', 'accessChanged', 'run'],
  ]);
  expect(last.reports).toEqual(first.reports);
  expect(first.reports.at(-1)).toEqual(['run', 'why']);
  expect(failures).toHaveLength(first.reports.length);
});

import type { MessageId, RunId } from '../../src/core/ids.ts';
import type { Observer } from '../../src/core/ports/observer.ts';
import type { Run } from '../../src/core/run.ts';
import { stubRun } from './stub-engine.ts';

/** A running run of its first attempt, for tests that need one without a store. */
export function runningRun(name: string): Run {
  return { ...stubRun, id: name as RunId, answerId: `answer of ${name}` as MessageId };
}

/** An observer that keeps what it is told, by the name of the report. */
export function recordingObserver(): Observer & { readonly reports: readonly [string, unknown][] } {
  const reports: [string, unknown][] = [];
  const keep = (name: string) => (report: unknown) => void reports.push([name, report]);
  return {
    reports,
    runBegun: keep('runBegun'),
    runQueued: keep('runQueued'),
    runStarted: keep('runStarted'),
    modelCalled: keep('modelCalled'),
    modelReturned: keep('modelReturned'),
    toolReturned: keep('toolReturned'),
    firstToken: keep('firstToken'),
    runEnding: keep('runEnding'),
    runEnded: keep('runEnded'),
    flushed: keep('flushed'),
    delivered: keep('delivered'),
    flushFailed: keep('flushFailed'),
    refused: keep('refused'),
    accessChanged: keep('accessChanged'),
    faulted: (where, error) => void reports.push([where, error]),
  };
}

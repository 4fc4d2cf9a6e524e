import type { Observer } from './ports/observer.ts';

/** Tells several observers the same, in their order. One that throws is reported and keeps nothing from the others, nor from the run. */
export function combineObservers(observers: readonly Observer[], onError: (error: unknown) => void): Observer {
  function all<Told extends readonly unknown[]>(tells: readonly ((...told: Told) => void)[]): (...told: Told) => void {
    return (...told) => {
      for (const tell of tells) {
        try {
          tell(...told);
        } catch (error) {
          onError(error);
        }
      }
    };
  }
  return {
    runBegun: all(observers.map(({ runBegun }) => runBegun)),
    runQueued: all(observers.map(({ runQueued }) => runQueued)),
    runStarted: all(observers.map(({ runStarted }) => runStarted)),
    modelCalled: all(observers.map(({ modelCalled }) => modelCalled)),
    modelReturned: all(observers.map(({ modelReturned }) => modelReturned)),
    toolReturned: all(observers.map(({ toolReturned }) => toolReturned)),
    firstToken: all(observers.map(({ firstToken }) => firstToken)),
    runEnding: all(observers.map(({ runEnding }) => runEnding)),
    runEnded: all(observers.map(({ runEnded }) => runEnded)),
    flushed: all(observers.map(({ flushed }) => flushed)),
    delivered: all(observers.map(({ delivered }) => delivered)),
    flushFailed: all(observers.map(({ flushFailed }) => flushFailed)),
    refused: all(observers.map(({ refused }) => refused)),
    accessChanged: all(observers.map(({ accessChanged }) => accessChanged)),
    faulted: all(observers.map(({ faulted }) => faulted)),
  };
}

import type { Observer } from './ports/observer.ts';

/** Tells several observers the same, in their order. One that throws is reported and keeps nothing from the others, nor from the run. */
export function combineObservers(observers: readonly Observer[], onError: (error: unknown) => void): Observer {
  const each = (tell: (observer: Observer) => void): void => {
    for (const observer of observers) {
      try {
        tell(observer);
      } catch (error) {
        onError(error);
      }
    }
  };
  return {
    runBegun: (run) => each((observer) => observer.runBegun(run)),
    runQueued: (run) => each((observer) => observer.runQueued(run)),
    runStarted: (run) => each((observer) => observer.runStarted(run)),
    modelCalled: (call) => each((observer) => observer.modelCalled(call)),
    modelReturned: (call) => each((observer) => observer.modelReturned(call)),
    toolReturned: (call) => each((observer) => observer.toolReturned(call)),
    firstToken: (run) => each((observer) => observer.firstToken(run)),
    runEnding: (run) => each((observer) => observer.runEnding(run)),
    runEnded: (run) => each((observer) => observer.runEnded(run)),
    flushed: (flush) => each((observer) => observer.flushed(flush)),
    delivered: (gapsMs) => each((observer) => observer.delivered(gapsMs)),
    flushFailed: (failure) => each((observer) => observer.flushFailed(failure)),
    refused: (refusal) => each((observer) => observer.refused(refusal)),
    accessChanged: (change) => each((observer) => observer.accessChanged(change)),
    faulted: (where, failure) => each((observer) => observer.faulted(where, failure)),
  };
}

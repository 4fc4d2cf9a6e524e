import type { Logger } from 'pino';
import type { Observer } from '../../core/ports/observer.ts';

/** Writes what operators look for: ended runs at info, failures at error; starts, first tokens and flushes only at debug and trace. */
export function createLogObserver(log: Logger): Observer {
  return {
    runStarted: ({ id, model, attempt }) => log.debug({ run: id, model, attempt }, 'run started'),
    firstToken: ({ id, model, sinceStartMs }) => log.debug({ run: id, model, ms: sinceStartMs }, 'first token'),
    runEnded: ({ id, model, status, code, durationMs }) => log.info({ run: id, model, status, code, ms: durationMs }, 'run ended'),
    flushed: ({ segments, ends, bytes, durationMs }) => log.trace({ segments, ends, bytes, ms: durationMs }, 'flushed'),
    flushFailed: (error) => log.error({ err: error }, 'writing to the store failed, trying again'),
    faulted: (where, error) => log.error({ where, err: error }, 'fault'),
  };
}

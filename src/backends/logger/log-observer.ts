import type { Logger } from 'pino';
import type { Observer } from '../../core/ports/observer.ts';

const accessMessages = {
  'key created': 'API key created',
  'key revoked': 'API key revoked',
  'application created': 'application created',
  'application changed': 'application changed',
} as const;

const nothing = () => undefined;

/** Writes what operators look for: ended runs and changes of keys and applications at info, failures at error; starts, first tokens, refusals and flushes only at debug and trace. */
export function createLogObserver(log: Logger): Observer {
  return {
    runBegun: nothing,
    runQueued: ({ id, model }) => log.debug({ run: id, model }, 'run queued'),
    runStarted: ({ id, model, attempt, queuedMs }) => log.debug({ run: id, model, attempt, queued_ms: queuedMs }, 'run started'),
    modelCalled: nothing,
    modelReturned: nothing,
    toolReturned: ({ id, name, status, durationMs }) => log.debug({ run: id, tool: name, status, ms: durationMs }, 'tool returned'),
    firstToken: ({ id, model, sinceStartMs }) => log.debug({ run: id, model, ms: sinceStartMs }, 'first token'),
    runEnding: nothing,
    runEnded: ({ id, model, status, code, durationMs }) => log.info({ run: id, model, status, code, ms: durationMs }, 'run ended'),
    flushed: ({ segments, ends, bytes, durationMs }) => log.trace({ segments, ends, bytes, ms: durationMs }, 'flushed'),
    delivered: nothing,
    flushFailed: (error) => log.error({ err: error }, 'writing to the store failed, trying again'),
    refused: ({ code, limit }) => log.debug({ code, limit }, 'refused'),
    accessChanged: ({ what, applicationId, keyId, by }) => {
      const who = by === null ? 'command' : { application: by.applicationId, key_id: by.keyId };
      log.info({ application: applicationId, ...(keyId !== null && { key_id: keyId }), by: who }, accessMessages[what]);
    },
    faulted: (where, error) => log.error({ where, err: error }, 'fault'),
  };
}

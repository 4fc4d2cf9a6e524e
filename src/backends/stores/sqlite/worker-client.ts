import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { storeUnavailable } from '../../../core/errors.ts';
import { StoreInUse } from './in-use.ts';
import type { Call, Failure, Opened, Outcome } from './protocol.ts';
import type { WorkerData } from './worker.ts';

/** Calls the store's thread. Calls are answered in order; all that wait reject when the thread dies. */
export interface WorkerClient {
  call(operation: Call['operation'], input: readonly unknown[]): Promise<unknown>;
  /** Resolves when the thread is gone. */
  terminate(): Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * The file that runs is this module's neighbour, TypeScript in the sources, JavaScript in a build. Tests from the sources, which start hundreds of
 * threads in a process, set POLYLOGUE_BUILT_THREADS: V8 now and then crashes while Node strips the types of so many (nodejs/node#64500).
 */
function threadFile(): string {
  if (!import.meta.url.endsWith('.ts')) return './worker.js';
  return process.env.POLYLOGUE_BUILT_THREADS === '1' ? '../../../../dist/backends/stores/sqlite/worker.js' : './worker.ts';
}

/** Starts the thread; rejects when it cannot open the store. `onDeath` is told when it ends by itself: nothing can be stored from then on. */
export async function startWorker(dataDir: string, onDeath: (error: Error) => void): Promise<WorkerClient> {
  const workerData: WorkerData = { dataDir };
  const worker = new Worker(new URL(threadFile(), import.meta.url), { workerData });
  const [opened] = (await once(worker, 'message')) as [Opened];
  if (!opened.opened) {
    await worker.terminate();
    throw opened.inUse ? new StoreInUse(opened.reason) : new Error(opened.reason);
  }
  return clientOf(worker, onDeath);
}

/** The code tells an operator what is missing: messages stay out of the log. */
function reasonOf({ error, unavailable }: Failure): Error {
  return unavailable === null ? error : storeUnavailable(Object.assign(error, { code: unavailable }));
}

function clientOf(worker: Worker, onDeath: (error: Error) => void): WorkerClient {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let outgoing: Call[] = [];
  /** All calls of a turn of the event loop in one message, whose fixed price is higher than what it carries. */
  const post = () => {
    const calls = outgoing;
    outgoing = [];
    worker.postMessage(calls);
  };
  let gone: Error | null = null;
  let terminating = false;
  const fail = (reason: Error): void => {
    if (gone === null && !terminating) onDeath(reason);
    gone ??= reason;
    for (const call of waiting.values()) call.reject(storeUnavailable(gone));
    waiting.clear();
  };
  worker.on('message', (outcomes: readonly Outcome[]) => {
    for (const outcome of outcomes) {
      const call = waiting.get(outcome.id);
      waiting.delete(outcome.id);
      if ('error' in outcome) call?.reject(reasonOf(outcome));
      else call?.resolve(outcome.value);
    }
  });
  worker.on('error', (error) => fail(new Error('The store has stopped after a failure.', { cause: error })));
  worker.on('messageerror', (error) => fail(new Error('The store gave an answer that cannot be read.', { cause: error })));
  worker.on('exit', () => fail(new Error('The store is closed.')));
  return {
    call: (operation, input) =>
      new Promise((resolve, reject) => {
        if (gone !== null) return reject(storeUnavailable(gone));
        // The thread ends behind its answer, and Node may tell of both in one turn.
        if (operation === 'close') terminating = true;
        const call: Call = { id: nextId, operation, input };
        waiting.set(nextId, { resolve, reject });
        if (outgoing.push(call) === 1) setImmediate(post);
        nextId += 1;
      }),
    terminate: async () => {
      terminating = true;
      await worker.terminate();
    },
  };
}

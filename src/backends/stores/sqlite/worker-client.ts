import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Call, Opened, Outcome } from './protocol.ts';
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

/** Starts the thread; rejects when it cannot open the store. */
export async function startWorker(dataDir: string): Promise<WorkerClient> {
  const workerData: WorkerData = { dataDir };
  // The file that runs is this module's neighbour: TypeScript in the sources, JavaScript in a build.
  const worker = new Worker(new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url), { workerData });
  const [opened] = (await once(worker, 'message')) as [Opened];
  if (!opened.opened) {
    await worker.terminate();
    throw new Error(opened.reason);
  }
  return clientOf(worker);
}

function clientOf(worker: Worker): WorkerClient {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let gone: Error | null = null;
  const fail = (reason: Error): void => {
    gone ??= reason;
    for (const call of waiting.values()) call.reject(gone);
    waiting.clear();
  };
  worker.on('message', (outcomes: readonly Outcome[]) => {
    for (const outcome of outcomes) {
      const call = waiting.get(outcome.id);
      waiting.delete(outcome.id);
      if ('error' in outcome) call?.reject(outcome.error);
      else call?.resolve(outcome.value);
    }
  });
  worker.on('error', (error) => fail(new Error('The store has stopped after a failure.', { cause: error })));
  worker.on('messageerror', (error) => fail(new Error('The store gave an answer that cannot be read.', { cause: error })));
  worker.on('exit', () => fail(new Error('The store is closed.')));
  return {
    call: (operation, input) =>
      new Promise((resolve, reject) => {
        if (gone !== null) return reject(gone);
        const call: Call = { id: nextId, operation, input };
        worker.postMessage(call);
        waiting.set(nextId, { resolve, reject });
        nextId += 1;
      }),
    terminate: async () => {
      await worker.terminate();
    },
  };
}

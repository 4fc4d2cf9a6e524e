import { resolve } from 'node:path';
import type { Store } from '../../../core/ports/store.ts';
import { operationNames } from '../sql/operation-kinds.ts';
import type { StoreOperations } from '../sql/store-operations.ts';
import { flatBatchOf } from './flat-batch.ts';
import type { OperationName } from './protocol.ts';
import { startWorker } from './worker-client.ts';

interface SqliteStoreOptions {
  readonly dataDir: string;
  /** Told once when the store has stopped for good by itself; every call from then on fails. */
  readonly onDeath?: (error: Error) => void;
}

/**
 * The embedded store: one file in `dataDir`, which belongs to one server at a time. Rejects with a sentence for people when another server
 * has it or a newer program has written it.
 */
export async function openSqliteStore({ dataDir, onDeath = () => {} }: SqliteStoreOptions): Promise<Store> {
  const worker = await startWorker(resolve(dataDir), onDeath);
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await worker.call('close', []);
    await worker.terminate();
  };
  return {
    capabilities: { shared: false },
    hints: null,
    ...operationsOver((name, input) => (closing === null ? worker.call(name, input) : Promise.reject(new Error('The store is closed.')))),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function operationsOver(call: (name: OperationName, input: readonly unknown[]) => Promise<unknown>): StoreOperations {
  const operations = operationNames.map((name) => [name, (...input: readonly unknown[]) => call(name, input)]);
  const store = Object.fromEntries(operations) as StoreOperations;
  return { ...store, appendLog: (batch) => call('appendLog', [flatBatchOf(batch)]) as ReturnType<StoreOperations['appendLog']> };
}

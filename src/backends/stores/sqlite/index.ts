import { resolve } from 'node:path';
import type { Store } from '../../../core/ports/store.ts';
import type { StoreOperations } from '../sql/store-operations.ts';
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
  const operation =
    <Name extends OperationName>(name: Name) =>
    (...input: Parameters<StoreOperations[Name]>) =>
      call(name, input) as ReturnType<StoreOperations[Name]>;
  return {
    createThread: operation('createThread'),
    findThread: operation('findThread'),
    ownersOfThread: operation('ownersOfThread'),
    listThreads: operation('listThreads'),
    countThreads: operation('countThreads'),
    measureThread: operation('measureThread'),
    changeThread: operation('changeThread'),
    setHead: operation('setHead'),
    closeThread: operation('closeThread'),
    purgeThread: operation('purgeThread'),
    listThreadEvents: operation('listThreadEvents'),
    lastThreadEvent: operation('lastThreadEvent'),
    listMessages: operation('listMessages'),
    contextOf: operation('contextOf'),
    findMessage: operation('findMessage'),
    beginRun: operation('beginRun'),
    refusalToBegin: operation('refusalToBegin'),
    findRun: operation('findRun'),
    findRunInApplication: operation('findRunInApplication'),
    countUnfinished: operation('countUnfinished'),
    activeRun: operation('activeRun'),
    liveRunOf: operation('liveRunOf'),
    cancelRun: operation('cancelRun'),
    claimQueued: operation('claimQueued'),
    renewLeases: operation('renewLeases'),
    takeLost: operation('takeLost'),
    appendLog: operation('appendLog'),
    readLog: operation('readLog'),
    createApplication: operation('createApplication'),
    listApplications: operation('listApplications'),
    findApplication: operation('findApplication'),
    changeApplication: operation('changeApplication'),
    createKey: operation('createKey'),
    findKeyByDigest: operation('findKeyByDigest'),
    findKeys: operation('findKeys'),
    listKeys: operation('listKeys'),
    revokeKey: operation('revokeKey'),
    touchKeys: operation('touchKeys'),
    accessVersion: operation('accessVersion'),
    serverSecret: operation('serverSecret'),
    ping: operation('ping'),
    forgetOldKeys: operation('forgetOldKeys'),
  };
}

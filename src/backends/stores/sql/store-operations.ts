import type { Store } from '../../../core/ports/store.ts';
import { accessVersion } from './access-version.ts';
import { createKey, findKeyByDigest, findKeys, listKeys, revokeKey, touchKeys } from './api-keys.ts';
import { changeApplication, createApplication, findApplication, listApplications } from './applications.ts';
import { beginRun, refusalToBegin } from './begin-run.ts';
import { contextOf, listMessages } from './branches.ts';
import { changeThread, setHead } from './change-thread.ts';
import { claimQueued, renewLeases, takeLost } from './claims.ts';
import { countUnfinished } from './count-unfinished.ts';
import { createThread } from './create-thread.ts';
import type { Db } from './db.ts';
import { closeThread, purgeThread } from './delete-thread.ts';
import { appendLog, cancelRun } from './end-run.ts';
import { forgetOldKeys } from './idempotency.ts';
import { countThreads, listThreads } from './list-threads.ts';
import { measureThread } from './measure-thread.ts';
import { findMessage } from './messages.ts';
import { toThread } from './rows.ts';
import { readLog } from './run-log.ts';
import { activeRun, findRun, findRunInApplication, liveRunOf } from './runs.ts';
import { serverSecret } from './server-secret.ts';
import { lastThreadEvent, listThreadEvents } from './thread-events.ts';
import { findThreadRow, ownersOfThread } from './threads.ts';

/** The part of the port that SQL answers. */
export type StoreOperations = Omit<Store, 'capabilities' | 'hints' | 'close'>;

/** The store's operations on one connection. Each that writes expects to be inside a transaction. */
export function storeOperations(db: Db): StoreOperations {
  const { session } = db;
  return {
    createThread: (input) => createThread(session, input),
    findThread: async (owner, ref) => {
      const row = await findThreadRow(session, owner, ref);
      return row === undefined ? null : toThread(row);
    },
    ownersOfThread: (applicationId, id) => ownersOfThread(session, applicationId, id),
    listThreads: (owner, query) => listThreads(session, owner, query),
    countThreads: (owner, filter) => countThreads(session, owner, filter),
    measureThread: (owner, ref) => measureThread(session, owner, ref),
    changeThread: (input) => changeThread(session, input),
    setHead: (input) => setHead(session, input),
    closeThread: (input) => closeThread(session, input),
    purgeThread: (key) => purgeThread(db, key),
    listThreadEvents: (owner, ref, page) => listThreadEvents(session, { owner, ref, ...page }),
    lastThreadEvent: (owner, ref) => lastThreadEvent(session, owner, ref),
    listMessages: (input) => listMessages(session, input),
    contextOf: (input) => contextOf(session, input),
    findMessage: (input) => findMessage(session, input),
    beginRun: (input) => beginRun(db, input),
    refusalToBegin: (input) => refusalToBegin(session, input),
    findRun: (owner, runId) => findRun(session, owner, runId),
    findRunInApplication: (applicationId, runId) => findRunInApplication(session, applicationId, runId),
    countUnfinished: (limit) => countUnfinished(session, limit),
    activeRun: (owner) => activeRun(session, owner),
    liveRunOf: (owner, messageId) => liveRunOf(session, owner, messageId),
    cancelRun: (input) => cancelRun(db, input),
    claimQueued: (input) => claimQueued(db, input.lease),
    renewLeases: (lease) => renewLeases(session, lease),
    takeLost: (input) => takeLost(db, input),
    appendLog: (batch) => appendLog(db, batch),
    readLog: (input) => readLog(db, input),
    createApplication: (application) => createApplication(session, application),
    listApplications: () => listApplications(session),
    findApplication: (id) => findApplication(session, id),
    changeApplication: (id, changes) => changeApplication(session, id, changes),
    createKey: (input) => createKey(session, input),
    findKeyByDigest: (digest) => findKeyByDigest(session, digest),
    findKeys: (ids) => findKeys(session, ids),
    listKeys: (applicationId, page) => listKeys(session, applicationId, page),
    revokeKey: (input) => revokeKey(session, input),
    touchKeys: (uses) => touchKeys(session, uses),
    accessVersion: () => accessVersion(session),
    serverSecret: () => serverSecret(session),
    ping: async () => {
      await session.all('select 1', []);
    },
    forgetOldKeys: (now) => forgetOldKeys(session, now),
  };
}

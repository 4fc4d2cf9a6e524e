import type { Store } from '../../../core/ports/store.ts';
import { accessOperations } from './access-operations.ts';
import { agentOperations } from './agent-operations.ts';
import { forgetDeletedAgents } from './agents-delete.ts';
import { attachmentOperations } from './attachment-operations.ts';
import { beginRun, refusalToBegin } from './begin-run.ts';
import { contextOf, listMessages } from './branches.ts';
import { changeTags, changeThread, setHead } from './change-thread.ts';
import { claimQueued, renewLeases, takeLost } from './claims.ts';
import { countUnfinished } from './count-unfinished.ts';
import { createThread } from './create-thread.ts';
import type { Db } from './db.ts';
import { closeThread, purgeThread } from './delete-thread.ts';
import { derivedOperations } from './derived-operations.ts';
import { appendLog, cancelRun } from './end-run.ts';
import { forgetOldKeys } from './idempotency.ts';
import { countThreads, listThreads } from './list-threads.ts';
import { measureThread } from './measure-thread.ts';
import { findMessage } from './messages.ts';
import { promptOperations } from './prompt-operations.ts';
import { toThread } from './rows.ts';
import { runsLeft } from './run-limits.ts';
import { readLog } from './run-log.ts';
import { activeRun, findRun, findRunInApplication, liveRunOf } from './runs.ts';
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
    changeTags: (input) => changeTags(session, input),
    setHead: (input) => setHead(session, input),
    closeThread: (input) => closeThread(session, input),
    purgeThread: (key) => purgeThread(db, key),
    listThreadEvents: (owner, ref, page) => listThreadEvents(session, { owner, ref, ...page }),
    lastThreadEvent: (owner, ref) => lastThreadEvent(session, owner, ref),
    ...derivedOperations(session),
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
    runsLeft: (input) => runsLeft(session, input),
    ...agentOperations(db),
    ...promptOperations(session),
    ...attachmentOperations(session),
    ...accessOperations(session),
    ping: async () => {
      await session.all('select 1', []);
    },
    forgetOldKeys: async (now) => {
      await forgetOldKeys(session, now);
      await forgetDeletedAgents(session);
    },
  };
}

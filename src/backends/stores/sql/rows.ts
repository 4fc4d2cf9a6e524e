import type { AgentId, ApplicationId, MessageId, RunId, ThreadId, ThreadKey } from '../../../core/ids.ts';
import type { Message, Part, Usage } from '../../../core/message.ts';
import type { FinishReason, Run, RunFailure, RunSnapshot } from '../../../core/run.ts';
import type { JsonObject, Thread } from '../../../core/thread.ts';
import type { MessagesTable, RunsTable, ThreadsTable } from './schema.ts';

/** A thread with the names of its owner. */
export interface ThreadRow extends ThreadsTable {
  readonly application_id: string;
  readonly application_number: number;
  readonly external_id: string;
  readonly user_number: number;
}

/** A message with its thread's public id. */
export interface MessageRow extends Omit<MessagesTable, 'tokens'> {
  readonly thread_id: string;
}

/** A run with the names of its owner and what is to be known of its thread. */
export interface RunRow extends RunsTable, Pick<ThreadsTable, 'event_count' | 'deleted_at'> {
  readonly application_id: string;
  readonly external_id: string;
  readonly thread_id: string;
  readonly thread_number: number;
}

/** The thread as the engine sees it. */
export function toThread(row: ThreadRow): Thread {
  return {
    key: row.key as ThreadKey,
    id: row.id as ThreadId,
    number: row.number,
    userNumber: row.user_number,
    applicationNumber: row.application_number,
    userId: row.external_id,
    title: row.title,
    model: row.model,
    agent: row.agent,
    tags: JSON.parse(row.tags) as readonly string[],
    archived: row.archived === 1,
    metadata: JSON.parse(row.metadata) as JsonObject,
    headId: row.head_id as MessageId | null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** The message as the engine sees it. */
export function toMessage(row: MessageRow): Message {
  return {
    id: row.id as MessageId,
    threadId: row.thread_id as ThreadId,
    seq: row.seq,
    parentId: row.parent_id as MessageId | null,
    role: row.role,
    status: row.status,
    parts: JSON.parse(row.parts) as readonly Part[],
    runId: row.run_id as RunId | null,
    model: row.model,
    usage: fromJson<Usage>(row.usage),
    createdAt: row.created_at,
  };
}

/** The run as the engine sees it. */
export function toRun(row: RunRow): Run {
  return runWith(row, snapshotOf(JSON.parse(row.snapshot)));
}

/** The same of a row whose snapshot is at hand. */
export function runWith(row: RunRow, snapshot: RunSnapshot): Run {
  return {
    id: row.id as RunId,
    owner: { applicationId: row.application_id as ApplicationId, userId: row.external_id },
    threadKey: row.thread_key as ThreadKey,
    threadId: row.thread_id as ThreadId,
    threadNumber: row.thread_number,
    messageId: row.message_id as MessageId,
    answerId: row.answer_id as MessageId,
    answerSeq: row.answer_seq,
    status: row.status,
    attempt: row.attempt,
    snapshot,
    usage: fromJson<Usage>(row.usage),
    finishReason: row.finish_reason as FinishReason | null,
    failure: fromJson<RunFailure>(row.failure),
    createdAt: row.created_at,
    endedAt: row.ended_at,
  };
}

type StoredSnapshot = Omit<RunSnapshot, 'agent'> & { readonly agent: RunSnapshot['agent'] | string };

/** A stored snapshot as the engine sees it: before agents had versions, nothing but the name was stored. */
export function snapshotOf(stored: StoredSnapshot): RunSnapshot {
  const { agent } = stored;
  return { ...stored, agent: typeof agent === 'string' ? { id: '' as AgentId, name: agent, version: 0 } : agent };
}

/** JSON for a nullable column. */
export function toJson(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

function fromJson<Value>(json: string | null): Value | null {
  return json === null ? null : (JSON.parse(json) as Value);
}

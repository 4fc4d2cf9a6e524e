import type { MessageStatus, Role } from '../../../core/message.ts';
import type { RunStatus } from '../../../core/run.ts';

// Portable on purpose: ids are TEXT, times are milliseconds since 1970, flags are 0 or 1, JSON is TEXT.

/** `place` is their order; `sealed_secrets` a JSON array of texts. */
export interface ApplicationsTable {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly tier: string | null;
  readonly jwks_url: string | null;
  readonly sealed_secrets: string;
  readonly issuer: string | null;
  readonly audience: string | null;
  readonly created_at: number;
  readonly place: number;
}

/** `place` is their order; `scopes` and `dialects` are JSON arrays of texts. */
export interface ApiKeysTable {
  readonly id: string;
  readonly application_id: string;
  readonly digest: string;
  readonly name: string;
  readonly hint: string;
  readonly scopes: string;
  readonly dialects: string | null;
  readonly user_id: string | null;
  readonly tier: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
  readonly revoked_at: number | null;
  readonly place: number;
}

/** One row. */
interface AccessVersionTable {
  readonly value: number;
}

/** One row. */
interface ServerSecretTable {
  readonly value: string;
}

interface UsersTable {
  readonly id: string;
  readonly application_id: string;
  readonly external_id: string;
  readonly number: number;
}

/** `next_seq` is the place of the next message, `event_count` the number of the newest thread event. */
export interface ThreadsTable {
  readonly key: string;
  readonly id: string;
  readonly number: number;
  readonly user_id: string;
  readonly title: string | null;
  readonly model: string | null;
  readonly agent: string | null;
  readonly tags: string;
  readonly archived: number;
  readonly metadata: string;
  readonly head_id: string | null;
  readonly next_seq: number;
  readonly event_count: number;
  readonly carried_head: string | null;
  readonly carried_turns: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly deleted_at: number | null;
}

/** `parent_id` may name an answer that is not stored yet. */
export interface MessagesTable {
  readonly id: string;
  readonly thread_key: string;
  readonly seq: number;
  readonly parent_id: string | null;
  readonly role: Role;
  readonly status: MessageStatus;
  readonly parts: string;
  readonly run_id: string | null;
  readonly model: string | null;
  readonly usage: string | null;
  readonly created_at: number;
}

/** `ended_at` is null exactly while the run is unfinished; `counted_for` is its application, null in old runs that have ended. */
export interface RunsTable {
  readonly id: string;
  readonly thread_key: string;
  readonly user_id: string;
  readonly message_id: string;
  readonly answer_id: string;
  readonly answer_seq: number;
  readonly status: RunStatus;
  readonly attempt: number;
  readonly snapshot: string;
  readonly usage: string | null;
  readonly finish_reason: string | null;
  readonly failure: string | null;
  readonly process_id: string | null;
  readonly lease_until: number | null;
  readonly created_at: number;
  readonly ended_at: number | null;
  readonly counted_for: string | null;
}

/** Segments of unfinished runs, in the order of their writing. */
interface RunLogLiveTable {
  readonly run_id: string;
  readonly attempt: number;
  readonly first_offset: number;
  readonly last_offset: number;
  readonly events: string;
}

/** The whole log of an ended run, packed. */
interface RunLogsTable {
  readonly run_id: string;
  readonly first_offset: number;
  readonly last_offset: number;
  readonly events: string;
}

/** Facts of one transaction: a JSON array, numbered from `first_number` to `last_number`. */
interface ThreadEventsTable {
  readonly thread_key: string;
  readonly first_number: number;
  readonly last_number: number;
  readonly events: string;
}

interface IdempotencyKeysTable {
  readonly user_id: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly thread_key: string;
  readonly result: string;
  readonly created_at: number;
}

interface SchemaVersionsTable {
  readonly version: number;
  readonly name: string;
}

/** The tables as every SQL store has them. */
export interface Database {
  readonly applications: ApplicationsTable;
  readonly api_keys: ApiKeysTable;
  readonly access_version: AccessVersionTable;
  readonly server_secret: ServerSecretTable;
  readonly users: UsersTable;
  readonly threads: ThreadsTable;
  readonly messages: MessagesTable;
  readonly runs: RunsTable;
  readonly run_log_live: RunLogLiveTable;
  readonly run_logs: RunLogsTable;
  readonly thread_events: ThreadEventsTable;
  readonly idempotency_keys: IdempotencyKeysTable;
  readonly schema_versions: SchemaVersionsTable;
}

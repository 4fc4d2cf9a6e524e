import type { Generated } from 'kysely';
import type { MessageStatus, Role } from '../../../core/message.ts';
import type { RunStatus } from '../../../core/run.ts';
import type { AgentsTable, AgentVersionsTable, ApprovalsTable, CheckpointsTable, ToolPinsTable } from './schema-agents.ts';

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
  /** Of its text, counted here because nobody else did; null until somebody wants to know. */
  readonly tokens: Generated<number | null>;
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

/** `thread_key` names the thread, or the prompt, with which the result goes. */
interface IdempotencyKeysTable {
  readonly user_id: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly thread_key: string;
  readonly result: string;
  readonly created_at: number;
}

/** `size` is in characters; `search_text` is title, description and content, folded. */
export interface PromptsTable {
  readonly id: string;
  readonly number: number;
  readonly user_id: string;
  readonly version: number;
  readonly usage_count: number;
  readonly size: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly search_text: string;
}

export interface PromptVersionsTable {
  readonly prompt_id: string;
  readonly version: number;
  readonly created_at: number;
  readonly title: string;
  readonly scenario: string;
  readonly description: string | null;
  readonly metadata: string;
  readonly content: string;
}

interface TemplateUsesTable {
  readonly user_id: string;
  readonly number: number;
  readonly uses: number;
}

/** What the files of one user with the same bytes share. */
interface ContentsTable {
  readonly id: string;
  readonly user_id: string;
  readonly digest: string;
  readonly size: number;
  readonly type: string;
  readonly page_count: number;
  readonly characters: number;
  readonly truncated: number;
}

interface PassagesTable {
  readonly content_id: string;
  readonly position: number;
  readonly page: number;
  readonly text: string;
}

interface AttachmentsTable {
  readonly id: string;
  readonly number: number;
  readonly thread_key: string;
  readonly content_id: string;
  readonly name: string;
  readonly created_at: number;
}

/** Contents that no file has: `announced_at` is 0 when the last one is gone. */
interface StrayContentsTable {
  readonly id: string;
  readonly announced_at: number;
}

/** A text by which searches find a thread: its title at `seq` 0, else a message. SQLite has its words in the row `id` of `search_index`. */
interface SearchEntriesTable {
  readonly id: Generated<number>;
  readonly thread_key: string;
  readonly seq: number;
  readonly words: Generated<string>;
}

/** Of SQLite; keeps no text, and finds rows by it. */
interface SearchIndexTable {
  readonly rowid: number;
  readonly words: string;
}

/** Of SQLite: texts that are not in its index yet, as places of `search_entries`. */
interface SearchQueueTable {
  readonly id: Generated<number>;
  readonly thread_key: string;
  readonly seq: number;
}

/** Of SQLite, one row: how often something left the index since its words were last cleared from it. */
interface SearchStateTable {
  readonly removals: number;
}

/** Threads whose messages behind `after_seq` were stored before there was a search. */
interface SearchBacklogTable {
  readonly thread_key: string;
  readonly after_seq: number;
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
  readonly prompts: PromptsTable;
  readonly prompt_versions: PromptVersionsTable;
  readonly template_uses: TemplateUsesTable;
  readonly contents: ContentsTable;
  readonly passages: PassagesTable;
  readonly attachments: AttachmentsTable;
  readonly stray_contents: StrayContentsTable;
  readonly search_entries: SearchEntriesTable;
  readonly search_index: SearchIndexTable;
  readonly search_queue: SearchQueueTable;
  readonly search_state: SearchStateTable;
  readonly search_backlog: SearchBacklogTable;
  readonly agents: AgentsTable;
  readonly agent_versions: AgentVersionsTable;
  readonly tool_pins: ToolPinsTable;
  readonly approvals: ApprovalsTable;
  readonly checkpoints: CheckpointsTable;
  readonly schema_versions: SchemaVersionsTable;
}

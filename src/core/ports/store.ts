import type { ApiKey, Application, ApplicationChanges } from '../access.ts';
import type { ApplicationId, KeyId, MessageId, ProcessId, RunId, ThreadId, ThreadKey } from '../ids.ts';
import type { MessageStatus, Part, Role, Usage } from '../message.ts';
import type { Owner } from '../principal.ts';
import type { FinishReason, Run, RunFailure, RunSnapshot, RunStatus } from '../run.ts';
import type { JsonObject, Thread, ThreadEvent, ThreadRef } from '../thread.ts';
import type { AgentStore } from './agent-store.ts';
import type { ApprovalStore, RequestedApproval } from './approval-store.ts';
import type { AttachmentStore } from './attachment-store.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { Idempotency } from './idempotency.ts';
import type { MessageStore } from './message-store.ts';
import type { PromptStore } from './prompt-store.ts';
import type { SearchStore } from './search-store.ts';
import type { StoreHints } from './store-hints.ts';
import type { StoredFigures, TagChanges, ThreadChanges, ThreadFilter, ThreadQuery } from './thread-query.ts';
import type { TokenStore } from './token-store.ts';

export interface NewThread {
  readonly key: ThreadKey;
  readonly id: ThreadId;
  readonly number: number;
  readonly title: string | null;
  readonly model: string | null;
  readonly agent: string | null;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  /** How many of the last turns of the user's latest thread the model sees before this one's first message; 0 for none. */
  readonly carryTurns: number;
}

export interface NewMessage {
  readonly id: MessageId;
  readonly role: Role;
  readonly parts: readonly Part[];
}

/** A process's claim to execute runs until `until`; renewed while it lives. */
export interface Lease {
  readonly processId: ProcessId;
  readonly until: number;
}

/** Names for records that a transaction may have to make. */
interface RunNames {
  readonly runId: RunId;
  readonly answerId: MessageId;
}

export interface BeginRun {
  readonly owner: Owner;
  readonly now: number;
  readonly names: RunNames;
  readonly thread: { readonly ref: ThreadRef } | { readonly create: NewThread };
  readonly ask: /** Adds messages below `parent` (`head`: the thread's head); the last one is the question. */
    | { readonly kind: 'append'; readonly messages: readonly NewMessage[]; readonly parent: MessageId | null | 'head' }
    /** Answers a stored question once more: `message` is that question, or one of its answers. */
    | { readonly kind: 'again'; readonly message: MessageId };
  /** Given: refuse with `head_moved` unless the thread's head is this one, so that a caller may decide on what it read. */
  readonly expectedHead?: MessageId | null;
  readonly snapshot: RunSnapshot;
  /** The title a thread without one gets. */
  readonly title: string | null;
  /** Runs that may wait in one thread behind the running one. */
  readonly maxQueued: number;
  /** Runs that may be unfinished, this one included; null is without bound. Exact, also among servers that share the store. */
  readonly maxUnfinished: { readonly user: number | null; readonly application: number | null };
  /** Starts the run in the same transaction when its thread is idle; null leaves it queued. */
  readonly lease: Lease | null;
  readonly idempotency: Idempotency | null;
}

export type BeginRefusal = 'thread_not_found' | 'message_not_found' | 'queue_full' | 'run_limit' | 'idempotency_mismatch' | 'head_moved';

/** How many more runs may begin until as many as may be are unfinished; null without bound. */
export interface RunsLeft {
  readonly user: number | null;
  readonly application: number | null;
}

export type BeginResult =
  /** `run.status` is `running` (its `run.started` stands at offset 1) or `queued`. */
  | { readonly kind: 'begun'; readonly run: Run; readonly thread: Thread; readonly runsLeft: RunsLeft }
  /** The first result under this idempotency key, as it was then. */
  | { readonly kind: 'replayed'; readonly run: Run; readonly thread: Thread }
  | { readonly kind: 'refused'; readonly reason: Exclude<BeginRefusal, 'run_limit'> }
  /** Whose bound on unfinished runs is reached. */
  | { readonly kind: 'refused'; readonly reason: 'run_limit'; readonly bound: keyof RunsLeft };

export type CreateThreadResult =
  | { readonly kind: 'created' | 'replayed'; readonly thread: Thread }
  | { readonly kind: 'refused'; readonly reason: 'idempotency_mismatch' };

/** Consecutive events of one run. */
export interface Segment {
  readonly runId: RunId;
  readonly attempt: number;
  readonly first: number;
  readonly last: number;
  /** One line an event, as `lineOf` makes it, joined by line feeds. */
  readonly events: string;
}

/** A run's end: its last segment (terminal event included), its answer and its final state, in one transaction. */
export interface RunEnd {
  readonly segment: Segment;
  readonly status: Extract<RunStatus, 'completed' | 'failed' | 'cancelled'>;
  readonly answer: {
    readonly parts: readonly Part[];
    readonly status: MessageStatus;
    readonly model: string;
    readonly usage: Usage | null;
  };
  readonly failure: RunFailure | null;
  /** Null unless completed. */
  readonly finishReason: FinishReason | null;
}

/** A run that lets go of its process until people have decided: its last segment (with `approval.requested`), and what it waits for. */
export interface RunWait {
  readonly segment: Segment;
  readonly approvals: readonly [RequestedApproval, ...RequestedApproval[]];
}

export interface LogBatch {
  readonly now: number;
  readonly segments: readonly Segment[];
  /** Runs that wait from now on; they keep their attempt, and no lease. */
  readonly waits: readonly RunWait[];
  readonly ends: readonly RunEnd[];
  /** Syncs to disk before it returns; false may leave deltas to the next sync. */
  readonly durable: boolean;
  /** Claims the next queued run of each thread whose run ends here; null while draining. */
  readonly lease: Lease | null;
}

export interface LogBatchResult {
  /** Runs whose attempt is no longer theirs to write, or that are gone: nothing of them was written. */
  readonly fenced: readonly RunId[];
  /** Claimed runs, `run.started` at offset 1; `run.restarted` at the next offset where an earlier attempt has let go of the run. */
  readonly started: readonly Run[];
}

/** One page of a run's log from `after`, in order, as lines for `parseLines`. `ended`: nothing will follow the last of them. */
export interface LogPage {
  readonly events: readonly string[];
  readonly ended: boolean;
}

/** A run that its process left behind, with everything its readers may have seen. */
export interface LostRun {
  readonly run: Run;
  readonly events: readonly string[];
}

export interface ThreadStore {
  createThread(input: { owner: Owner; now: number; thread: NewThread; idempotency: Idempotency | null }): Promise<CreateThreadResult>;
  findThread(owner: Owner, ref: ThreadRef): Promise<Thread | null>;
  /** Users of the application who have a thread of that id, at most two; for callers that may act for all of them. */
  ownersOfThread(applicationId: ApplicationId, id: ThreadId): Promise<readonly Owner[]>;
  listThreads(owner: Owner, query: ThreadQuery): Promise<readonly Thread[]>;
  /** How many threads `listThreads` would give without a limit. */
  countThreads(owner: Owner, filter: ThreadFilter): Promise<number>;
  /** Null when the thread is unknown. */
  measureThread(owner: Owner, ref: ThreadRef): Promise<StoredFigures | null>;
  changeThread(input: { owner: Owner; ref: ThreadRef; changes: ThreadChanges; now: number }): Promise<Thread | null>;
  /** Both the adding and the taking away are done to what the change before has left. */
  changeTags(input: {
    owner: Owner;
    ref: ThreadRef;
    changes: TagChanges;
    now: number;
  }): Promise<Thread | 'thread_not_found' | 'too_many_tags'>;
  /** Makes a message of the thread its head. */
  setHead(input: {
    owner: Owner;
    ref: ThreadRef;
    messageId: MessageId;
    now: number;
  }): Promise<Thread | 'thread_not_found' | 'message_not_found'>;
  /** First half of a deletion: from now on nobody finds the thread or begins a run in it. Gives its unfinished runs. */
  closeThread(input: { owner: Owner; ref: ThreadRef; now: number }): Promise<{ thread: Thread; unfinished: readonly Run[] } | null>;
  /** Second half: removes every trace from the data files, also what an earlier process left half deleted when no key is given. */
  purgeThread(key: ThreadKey | null): Promise<void>;
  /** Thread events behind `after`, oldest first; null when the thread is unknown. */
  listThreadEvents(owner: Owner, ref: ThreadRef, page: { after: number; limit: number }): Promise<readonly ThreadEvent[] | null>;
  /** Number of the newest thread event, where a reader without a cursor begins; null when the thread is unknown. */
  lastThreadEvent(owner: Owner, ref: ThreadRef): Promise<number | null>;
}

/** How many runs are in each state that is no end. */
export type UnfinishedRuns = Readonly<Record<'queued' | 'running' | 'waiting', number>>;

export interface RunStore {
  beginRun(input: BeginRun): Promise<BeginResult>;
  /** How `beginRun` would refuse this just now; null when it would not. Writes nothing, and promises nothing. */
  refusalToBegin(input: BeginRun): Promise<Extract<BeginResult, { readonly kind: 'refused' }> | null>;
  /** What one more run would leave just now, or whose bound it would exceed. Promises nothing. */
  runsLeft(input: Pick<BeginRun, 'owner' | 'maxUnfinished'>): Promise<RunsLeft | keyof RunsLeft>;
  findRun(owner: Owner, runId: RunId): Promise<Run | null>;
  /** For a key that acts for every user of its application. */
  findRunInApplication(applicationId: ApplicationId, runId: RunId): Promise<Run | null>;
  /** The newest unfinished run of a user. */
  activeRun(owner: Owner): Promise<Run | null>;
  /** Unfinished runs of all users by their state; counts no further than `limit` of them in all. */
  countUnfinished(limit: number): Promise<UnfinishedRuns>;
  /** The newest run that answers this message and has not ended. */
  liveRunOf(owner: Owner, messageId: MessageId): Promise<Run | null>;
  /**
   * Asks for a run's end. A queued or waiting run ends here and now (its `run.cancelled` is stored, and as its answer what its log holds); a
   * running one is returned as it is, for its process to end.
   */
  cancelRun(input: { owner: Owner; runId: RunId; now: number }): Promise<Run | null>;
  /** Claims the oldest queued run of every thread in which none is running or waiting. */
  claimQueued(input: { now: number; lease: Lease }): Promise<readonly Run[]>;
  /**
   * Prolongs the process's leases on these runs, by default on all of its own; what it does not name is lost when its lease is over. Gives
   * those that it prolonged: any other has ended, waits, is deleted, or another process has it.
   */
  renewLeases(lease: Lease & { readonly runIds?: readonly RunId[] }): Promise<readonly RunId[]>;
  /** Running runs whose lease is over at `now`, taken over by this lease with the next attempt; `only`: that run, whoever executes it. */
  takeLost(input: { now: number; lease: Lease; only?: RunId }): Promise<readonly LostRun[]>;
}

export interface LogStore {
  appendLog(batch: LogBatch): Promise<LogBatchResult>;
  /** Events behind `after`, at most about `maxBytes` of them but at least one if there is one. Whoever asks has been allowed to see the run. */
  readLog(input: { runId: RunId; after: number; maxBytes: number }): Promise<LogPage>;
}

/** Part of a list of keys: behind the last key of the page before, null for the beginning. Behind what is not in the list is nothing. */
export interface KeyPage {
  readonly limit: number;
  readonly after: KeyId | null;
}

/** Applications and the keys to them. */
export interface AccessStore {
  /** False when there is one of that id. */
  createApplication(application: Application): Promise<boolean>;
  /** In the order of their making. */
  listApplications(): Promise<readonly Application[]>;
  findApplication(id: ApplicationId): Promise<Application | null>;
  /** Changes at the same moment follow one another: each is done to what the one before has left. Null when there is none of that id. */
  changeApplication(id: ApplicationId, changes: ApplicationChanges): Promise<Application | null>;
  /** `digest` is unique. `most`: how many keys of the application may count when this one is made, with it; exact, and without bound if left out. */
  createKey(input: { key: ApiKey; digest: string; most?: number }): Promise<'created' | 'application_unknown' | 'too_many'>;
  /** Whatever its state, revoked and expired ones included. */
  findKeyByDigest(digest: string): Promise<ApiKey | null>;
  findKeys(ids: readonly KeyId[]): Promise<readonly ApiKey[]>;
  /** Newest first; null for those of all applications. */
  listKeys(applicationId: ApplicationId | null, page: KeyPage): Promise<readonly ApiKey[]>;
  /** Idempotent: the first revocation stays. Null when the application (null: no application) has no such key. */
  revokeKey(input: { applicationId: ApplicationId | null; id: KeyId; now: number }): Promise<ApiKey | null>;
  /** Notes when keys were last used; never makes that earlier. */
  touchKeys(uses: readonly { readonly id: KeyId; readonly at: number }[]): Promise<void>;
  /** A number that grows with every change of keys and applications but their use. */
  accessVersion(): Promise<number>;
  /** A secret that was made with the store and stays: 32 random bytes as 64 hexadecimal digits, the same for all who share the store. */
  serverSecret(): Promise<string>;
}

export interface Store
  extends ThreadStore,
    MessageStore,
    RunStore,
    LogStore,
    AccessStore,
    PromptStore,
    AttachmentStore,
    SearchStore,
    AgentStore,
    ApprovalStore,
    CheckpointStore,
    TokenStore {
  /** What this store promises beyond the port; contract tests and start-up ask here, never for a name. */
  readonly capabilities: {
    /** Other processes may write the same store: leases count, wake-ups come from outside. */
    readonly shared: boolean;
  };
  /** Null when no other process can write to the store. */
  readonly hints: StoreHints | null;
  /** Resolves when the store answers a query. */
  ping(): Promise<void>;
  /** Forgets idempotency keys from before `now` less 24 hours, and what runs that have ended since had kept of deleted agents. */
  forgetOldKeys(now: number): Promise<void>;
  close(): Promise<void>;
}

import type { Administrator, ApiKey, Application } from '../core/access.ts';
import type { ApplicationId, KeyId, MessageId, RunId, ThreadId } from '../core/ids.ts';
import type { RateState, Tier } from '../core/limits.ts';
import type { Message, Part, Role } from '../core/message.ts';
import type { AgentRuntime } from '../core/ports/agent-runtime.ts';
import type { BlobStore } from '../core/ports/blob-store.ts';
import type { Catalogue, CatalogueModel } from '../core/ports/catalogue.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Extractor } from '../core/ports/extractor.ts';
import type { IdSource } from '../core/ports/ids.ts';
import type { LoadGauge } from '../core/ports/load.ts';
import type { Observer } from '../core/ports/observer.ts';
import type { RateLimiter } from '../core/ports/rate-limiter.ts';
import type { KeyMaker, SecretBox, TokenIssuer } from '../core/ports/secrets.ts';
import type { KeyPage, Store } from '../core/ports/store.ts';
import type { TagChanges, ThreadChanges, ThreadFigures, ThreadFilter, ThreadQuery } from '../core/ports/thread-query.ts';
import type { TokenCounter } from '../core/ports/token-counter.ts';
import type { ToolSource } from '../core/ports/tool.ts';
import type { ToolSchemas } from '../core/ports/tool-schemas.ts';
import type { Caller, Owner, Scope } from '../core/principal.ts';
import type { Template } from '../core/prompt.ts';
import type { Run } from '../core/run.ts';
import type { RunEvent } from '../core/run-event.ts';
import type { JsonObject, Thread, ThreadEvent, ThreadRef } from '../core/thread.ts';
import type { Agents } from './agents/agents.ts';
import type { ForeignRuntime } from './agents/answer-by-agent.ts';
import type { Attachments } from './attachments/attachments.ts';
import type { Prompts } from './prompts/prompts.ts';
import type { Decision } from './runs/decide.ts';

/** Makes a POST repeatable: see contracts of idempotency. `fingerprint` hashes route and body. */
export interface RepeatKey {
  readonly key: string;
  readonly fingerprint: string;
}

export interface CreateThread {
  readonly owner: Owner;
  /** A client's own id; without one the server makes one. */
  readonly id?: ThreadId;
  readonly title?: string | null;
  readonly model?: string | null;
  readonly agent?: string | null;
  readonly tags?: readonly string[];
  readonly metadata?: JsonObject;
  readonly carryTurns?: number;
  readonly repeat?: RepeatKey | null;
}

export interface IncomingMessage {
  readonly role: Role;
  readonly parts: readonly Part[];
}

export interface StartRun {
  readonly owner: Caller;
  /** An existing thread, or the wish for a new one; a client's own id opens the thread that its user has by that id. */
  readonly thread: ThreadRef | { readonly create: Pick<CreateThread, 'id' | 'model' | 'agent' | 'tags' | 'carryTurns'> };
  readonly ask:
    | { readonly kind: 'append'; readonly messages: readonly IncomingMessage[]; readonly parent?: MessageId | null }
    | { readonly kind: 'again'; readonly message: MessageId };
  /** Without one: the thread's model, else the catalogue's default. */
  readonly model?: string | null;
  readonly agent?: string | null;
  readonly temperature?: number | null;
  readonly maxTokens?: number | null;
  /** For this run only. */
  readonly instructions?: readonly string[];
  readonly expectedHead?: MessageId | null;
  readonly repeat?: RepeatKey | null;
  /** Aborts when the asker's credential is revoked: nothing is stored for it from then on. */
  readonly revoked?: AbortSignal | null;
}

export interface Started {
  readonly run: Run;
  readonly thread: Thread;
  /** True when an earlier call with the same key did the work. */
  readonly replayed: boolean;
  /** What is left of the caller's messages; null without bound. */
  readonly rate: RateState | null;
}

/** A key to make. What is left out: scopes `read` and `write`, all dialects, no user, the application's tier, no expiry. */
export interface CreateKey {
  readonly applicationId: ApplicationId;
  readonly name: string;
  readonly scopes?: readonly Scope[];
  readonly dialects?: readonly string[] | null;
  readonly userId?: string | null;
  readonly tier?: string | null;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | null;
  /** Who asks for it; left out or null for the operator. */
  readonly by?: Administrator | null;
}

/** An application to make or to change; its HS256 secrets in clear, at most two. */
export interface ApplicationSettings {
  readonly name?: string;
  readonly tier?: string | null;
  readonly jwksUrl?: string | null;
  readonly secrets?: readonly string[];
  readonly issuer?: string | null;
  readonly audience?: string | null;
}

/** Applications and keys. Who may call what is for the doors to know. */
export interface Access {
  /**
   * `secret` is shown here and never again. Rejects with `application_not_found`, `validation_failed`; with `state_conflict` when 1,000 keys of the
   * application count already.
   */
  createKey(input: CreateKey): Promise<{ key: ApiKey; secret: string }>;
  /** Newest first; null for those of all applications. */
  listKeys(applicationId: ApplicationId | null, page: KeyPage): Promise<readonly ApiKey[]>;
  /** Whatever its state. */
  findKey(id: KeyId): Promise<ApiKey | null>;
  /** Idempotent; in this process the key no longer counts when this resolves. `by` as in `CreateKey`. Rejects with `key_not_found`. */
  revokeKey(applicationId: ApplicationId | null, id: KeyId, by?: Administrator | null): Promise<ApiKey>;
  /** Rejects with `state_conflict` when there is one of that id, `validation_failed`. */
  createApplication(id: ApplicationId, settings: ApplicationSettings): Promise<Application>;
  /** What is left out stays. Rejects with `application_not_found` and as `createApplication`. */
  changeApplication(id: ApplicationId, settings: ApplicationSettings): Promise<Application>;
  listApplications(): Promise<readonly Application[]>;
  /** A short-lived token for one user. Rejects with `application_not_found`, `validation_failed`. */
  readonly issueToken: TokenIssuer['issue'];
}

export interface Follow {
  readonly runId: RunId;
  /** Offset of the last event the reader has; 0 for none. */
  readonly after: number;
  readonly signal: AbortSignal;
  /**
   * Gets consecutive events in order, each once, as soon as they are stored. A returned promise holds this reader (and nobody else) back
   * until it resolves; what happens meanwhile is read from the log afterwards.
   */
  readonly onEvents: (events: readonly RunEvent[]) => void | Promise<void>;
}

/** Everything a front door can ask for. Failures are `AppError`s; a record of somebody else is `not_found` in one of its forms. */
export interface Engine {
  readonly threads: {
    create(input: CreateThread): Promise<{ thread: Thread; replayed: boolean }>;
    /** Rejects with `thread_not_found`. */
    find(owner: Owner, ref: ThreadRef): Promise<Thread>;
    existsInApplication(owner: Owner, id: ThreadId): Promise<boolean>;
    /** Users of the owner's application who have a thread of that id, at most two; for keys that act for all of them. */
    ownersOf(owner: Owner, id: ThreadId): Promise<readonly Owner[]>;
    list(owner: Owner, query: ThreadQuery): Promise<readonly Thread[]>;
    count(owner: Owner, filter: ThreadFilter): Promise<number>;
    measure(owner: Owner, ref: ThreadRef): Promise<ThreadFigures>;
    change(owner: Owner, ref: ThreadRef, changes: ThreadChanges): Promise<Thread>;
    /** Adds tags or takes them away, whoever else does so at the same time. Rejects with `validation_failed` when there would be more than 100. */
    changeTags(owner: Owner, ref: ThreadRef, changes: Pick<TagChanges, 'add' | 'remove'>): Promise<Thread>;
    setHead(owner: Owner, ref: ThreadRef, messageId: MessageId): Promise<Thread>;
    /** Ends the thread's runs as cancelled, then removes it with everything in it. */
    delete(owner: Owner, ref: ThreadRef): Promise<void>;
    messages(owner: Owner, ref: ThreadRef, page: { branch: MessageId | 'head'; limit: number }): Promise<readonly Message[]>;
    message(owner: Owner, id: MessageId): Promise<Message>;
    /** Number of the newest thread event. */
    lastEvent(owner: Owner, ref: ThreadRef): Promise<number>;
    /** Resolves when the owner has a thread of that id, or the signal aborts. */
    untilCreated(owner: Owner, id: ThreadId, signal: AbortSignal): Promise<void>;
    /** Thread events behind `after`, then new ones as they come, until the thread is deleted or the signal aborts. */
    follow(
      owner: Owner,
      ref: ThreadRef,
      reader: { after: number; signal: AbortSignal; onEvents: (events: readonly ThreadEvent[]) => void | Promise<void> },
    ): Promise<void>;
  };
  readonly runs: {
    /** Stores the messages and the run in one transaction; the run goes on whoever listens. */
    start(input: StartRun): Promise<Started>;
    /** Rejects with `run_not_found`. */
    find(owner: Owner, id: RunId): Promise<Run>;
    /** For keys that act for every user of their application. */
    findInApplication(owner: Owner, id: RunId): Promise<Run>;
    active(owner: Owner): Promise<Run | null>;
    /** The unfinished run that answers this message, if there is one. */
    liveOf(owner: Owner, messageId: MessageId): Promise<Run | null>;
    cancel(owner: Owner, id: RunId): Promise<Run>;
    /**
     * Decides about a call that waits for an approval; the same decision once more changes nothing. Rejects with `run_not_found`,
     * `approval_not_found`; with `state_conflict` when it was decided otherwise, or nobody did in time.
     */
    decide(owner: Owner, decision: Decision): Promise<Run>;
    /** Resolves after the terminal event was handed over, or when the signal aborts. */
    follow(input: Follow): Promise<void>;
    /** A page of what stands in the log now, without waiting; `ended` when nothing will follow it. */
    read(input: Pick<Follow, 'runId' | 'after'>): Promise<{ events: readonly RunEvent[]; ended: boolean }>;
    /** The ended run and its answer, or `run_timeout` after `timeoutMs` while the run goes on. */
    await(
      run: Pick<Run, 'owner' | 'id' | 'answerId'>,
      options: { timeoutMs: number; signal: AbortSignal },
    ): Promise<{ readonly run: Run; readonly message: Message }>;
  };
  readonly models: {
    readonly defaultModel: string;
    list(): readonly CatalogueModel[];
    /** Rejects with `model_unknown`. */
    find(name: string): CatalogueModel;
  };
  readonly prompts: Prompts;
  readonly attachments: Attachments;
  readonly access: Access;
  /** What callers may use; messages and runs are charged by `runs.start` itself. Rejections have the allowance and when to come back. */
  readonly limits: {
    /** Charges a request. Rejects with `rate_limited`; null without bound. */
    request(caller: Caller): Promise<RateState | null>;
    /** Counts a connection until the function it returns is called. Throws `too_many_connections`. */
    connect(caller: Caller): () => void;
  };
  readonly agents: Agents;
  /** Takes up what an earlier process left: lets its agents' runs go on where they can, ends the others as interrupted, starts queued ones. Call once, before serving. */
  recover(): Promise<void>;
  /** Whether the engine takes new work, and why not. */
  readiness(): Promise<{ ready: true } | { ready: false; reason: string }>;
  /**
   * Refuses new work, lets running runs end for `graceMs`, then leaves those that can be taken up to the next
   * process and ends the others as interrupted. The store can be closed afterwards.
   */
  drain(graceMs: number): Promise<void>;
}

interface EngineSettings {
  /** Runs that may wait in a thread behind the running one. */
  readonly queuedRunsPerThread: number;
  /** The longest a run may take. */
  readonly runSeconds: number;
  /** The longest answer, in UTF-16 code units. */
  readonly answerChars: number;
  /** The longest that one call of a tool may take. */
  readonly callSeconds: number;
  /** How long people have to decide about a call. */
  readonly approvalSeconds: number;
  /** The name of the agent that answers where neither a message nor its thread names one; null for none. */
  readonly defaultAgent: string | null;
  /** What all files of one user may take. */
  readonly fileMebibytesPerUser: number;
}

/** Everything the engine needs from outside. */
export interface EnginePorts {
  readonly store: Store;
  /** The bytes of files; what the store says of them is the truth. */
  readonly blobs: BlobStore;
  readonly extractor: Extractor;
  readonly catalogue: Catalogue;
  /** Where the tools come from that agents list. */
  readonly sources: readonly ToolSource[];
  readonly schemas: ToolSchemas;
  /** Loads what executes the agents that come as code. */
  readonly runtimes: (name: ForeignRuntime) => Promise<AgentRuntime>;
  /** The name of the graph that comes with the server. */
  readonly houseGraph: string | null;
  readonly counter: TokenCounter;
  /** Prompts that come with the server. */
  readonly templates: readonly Template[];
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly load: LoadGauge;
  /** Counts requests in this process, and messages among all that share the store. */
  readonly rates: { readonly requests: RateLimiter; readonly messages: RateLimiter };
  /** By name; `default` is always there. */
  readonly tiers: ReadonlyMap<string, Tier>;
  readonly access: {
    readonly keys: KeyMaker;
    readonly tokens: TokenIssuer;
    readonly box: SecretBox;
    /** Told after keys or applications were changed here; resolves when that counts. */
    readonly onChange: () => Promise<void>;
    /** The dialects that keys may name. */
    readonly dialects: readonly string[];
  };
  readonly settings: EngineSettings;
}

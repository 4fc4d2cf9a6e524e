import type { AccessChange } from '../access.ts';
import type { ErrorCode } from '../errors.ts';
import type { RunId } from '../ids.ts';
import type { ToolResultStatus, Usage } from '../message.ts';
import type { RunStatus } from '../run.ts';

/** What the engine reports of itself; logs, metrics and traces hang here. Calls return at once and never throw. */
export interface Observer {
  /** A question and its run are stored, which took `storeMs`; `runQueued` or `runStarted` follows, the latter perhaps in another process. */
  runBegun(run: { id: RunId; model: string; storeMs: number }): void;
  /** A run waits behind another one of its thread. */
  runQueued(run: { id: RunId; model: string }): void;
  /** `queuedMs` is how long it had been stored by then; next to nothing unless it was queued. */
  runStarted(run: { id: RunId; model: string; attempt: number; queuedMs: number }): void;
  /** A request goes to a model provider; an agent may send several in one run, one after the other or at once. `call` counts them from 1. */
  modelCalled(call: ModelCall & { provider: string; upstream: string }): void;
  /** `code` is why it failed, null when it did not; `usage` null when unknown. */
  modelReturned(call: ModelCall & { code: string | null; usage: Usage | null }): void;
  /** A tool's call is over that was made for a run. */
  toolReturned(call: { id: RunId; name: string; status: ToolResultStatus; durationMs: number }): void;
  firstToken(run: { id: RunId; model: string; sinceStartMs: number }): void;
  /** All of the answer is there; its end is about to be stored. */
  runEnding(run: { id: RunId }): void;
  runEnded(run: { id: RunId; model: string; status: RunStatus; code: string | null; usage: Usage | null; durationMs: number }): void;
  flushed(flush: { segments: number; ends: number; bytes: number; durationMs: number }): void;
  /** Once a flush: for each run in it, how long its readers had had nothing new, in milliseconds. */
  delivered(gapsMs: readonly number[]): void;
  /** A write to the store failed and will be tried again; nothing is delivered meanwhile. */
  flushFailed(error: unknown): void;
  /** A caller has used up what they may; `limit` is the name of the bound. */
  refused(refusal: { code: ErrorCode; limit: string }): void;
  /** A key or an application was made, changed or revoked in this process. */
  accessChanged(change: AccessChange): void;
  /** Something in a run broke that is no expected failure. */
  faulted(where: string, error: unknown): void;
}

interface ModelCall {
  readonly id: RunId;
  readonly call: number;
}

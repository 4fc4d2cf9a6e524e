import type { RunId } from '../ids.ts';
import type { RunStatus } from '../run.ts';

/** What the engine reports of itself; logs, metrics and traces hang here. Calls return at once and never throw. */
export interface Observer {
  runStarted(run: { id: RunId; model: string; attempt: number }): void;
  firstToken(run: { id: RunId; model: string; sinceStartMs: number }): void;
  runEnded(run: { id: RunId; model: string; status: RunStatus; code: string | null; durationMs: number }): void;
  flushed(flush: { segments: number; ends: number; bytes: number; durationMs: number }): void;
  /** A write to the store failed and will be tried again; nothing is delivered meanwhile. */
  flushFailed(error: unknown): void;
  /** Something in a run broke that is no expected failure. */
  faulted(where: string, error: unknown): void;
}

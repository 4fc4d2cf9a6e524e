import type { AgentPin } from './agent.ts';
import type { MessageId, RunId, ThreadId, ThreadKey } from './ids.ts';
import type { Usage } from './message.ts';
import type { Owner } from './principal.ts';

export type RunStatus = 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';

/** Everything that decides an answer, fixed when the run is created: later changes of settings do not reach it. */
export interface RunSnapshot {
  /** The public name from the catalogue. */
  readonly model: string;
  /** What stood behind that name: the provider, its own name of the model, and the model's bounds in tokens. */
  readonly provider: string;
  readonly upstream: string;
  readonly window: number;
  readonly maxOutput: number;
  /** Null: the model alone answers. */
  readonly agent: AgentPin | null;
  readonly temperature: number | null;
  readonly maxTokens: number | null;
  /** Instructions for this run only; never part of the thread. */
  readonly instructions: readonly string[];
}

/** Why a completed answer ended: `length` means that the model's or the caller's token limit cut it. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

export interface RunFailure {
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
}

/** One execution that answers one message of a thread. */
export interface Run {
  readonly id: RunId;
  readonly owner: Owner;
  readonly threadKey: ThreadKey;
  readonly threadId: ThreadId;
  readonly threadNumber: number;
  /** The question. */
  readonly messageId: MessageId;
  /** The answer, named with the run and stored at its end. */
  readonly answerId: MessageId;
  readonly answerSeq: number;
  readonly status: RunStatus;
  /** 0 while queued; each execution raises it. The fence of every write to the run's log. */
  readonly attempt: number;
  readonly snapshot: RunSnapshot;
  readonly usage: Usage | null;
  /** Null unless completed. */
  readonly finishReason: FinishReason | null;
  readonly failure: RunFailure | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

export function hasEnded(status: RunStatus): boolean {
  switch (status) {
    case 'queued':
    case 'running':
    case 'waiting':
      return false;
    case 'completed':
    case 'failed':
    case 'cancelled':
      return true;
  }
}

import type { MessageStatus } from '../../core/message.ts';
import type { RunFailure } from '../../core/run.ts';
import type { RunFact, TerminalFact } from '../../core/run-event.ts';

/** How a run ends; the terminal fact says how, the answer is stored with it. */
export interface Ending {
  readonly fact: TerminalFact;
  readonly status: MessageStatus;
  readonly failure: RunFailure | null;
}

/** A run that lets go of its process until people have decided about these calls. */
export interface Waiting {
  readonly questions: readonly Extract<RunFact, { type: 'approval.requested' }>[];
}

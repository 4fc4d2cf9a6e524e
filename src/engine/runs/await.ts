import { AppError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { MessageStore } from '../../core/ports/message-store.ts';
import type { RunStore } from '../../core/ports/store.ts';
import type { Owner } from '../../core/principal.ts';
import { messageNotFound, runNotFound } from '../../core/refusals.ts';
import { hasEnded, type Run } from '../../core/run.ts';
import type { WakeUps } from '../wake-ups.ts';
import { type Answered, storedAnswer } from './endings.ts';
import type { LiveRun, LiveRuns } from './live-run.ts';

const POLL_MS = 2_000;

interface AwaitPorts {
  readonly store: Pick<RunStore, 'findRun'>;
  readonly clock: Clock;
  readonly wakeUps: WakeUps;
  readonly live: Pick<LiveRuns, 'get'>;
}

interface AwaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type AwaitEnd = (owner: Owner, id: RunId, options: AwaitOptions) => Promise<Run>;

/** Waits for a run's end; `run_timeout` when it takes too long, while the run goes on. */
export function createAwait(ports: AwaitPorts): AwaitEnd {
  return async (owner, id, options) => (await untilEnded(ports, { owner, id, ...options }, async () => null)).run;
}

export type AwaitAnswer = (run: Pick<Run, 'owner' | 'id' | 'answerId'>, options: AwaitOptions) => Promise<Answered>;

/** The same, with the answer, which is read together with the run; `message_not_found` when it was deleted since. */
export function createAwaitAnswer(ports: AwaitPorts & { readonly store: Pick<MessageStore, 'findMessage'> }): AwaitAnswer {
  return async ({ owner, id, answerId }, options) => {
    const findAnswer = () => ports.store.findMessage({ owner, messageId: answerId });
    const { run, message } = await untilEnded(ports, { owner, id, ...options }, findAnswer);
    if (message) return { run, message };
    // Where the two are read by different connections, the answer may have been looked for just before the run ended.
    const answer = await findAnswer();
    if (!answer) throw messageNotFound();
    return { run, message: answer };
  };
}

interface Wait extends AwaitOptions {
  readonly owner: Owner;
  readonly id: RunId;
}

interface Ended {
  readonly run: Run;
  readonly message: Message | null;
}

async function untilEnded(ports: AwaitPorts, wait: Wait, readMessage: () => Promise<Message | null>): Promise<Ended> {
  const { store, clock, wakeUps } = ports;
  const { owner, id, timeoutMs, signal } = wait;
  const wakeUp = wakeUps.listen(id);
  const until = clock.elapsed() + timeoutMs;
  const here = runningHere(ports, owner, id);
  // While this process executes it there is nothing to be read: it will say when it has ended, and how.
  let running = here !== null;
  try {
    while (true) {
      if (here?.outcome) return storedAnswer(here, here.outcome);
      if (!running) {
        const [run, message] = await Promise.all([store.findRun(owner, id), readMessage()]);
        if (!run) throw runNotFound();
        if (hasEnded(run.status)) return { run, message };
      }
      running = false;
      signal.throwIfAborted();
      const left = until - clock.elapsed();
      if (left <= 0) throw new AppError('run_timeout', `Run ${id} has not ended yet; it goes on`);
      await wakeUp.wait(Math.min(left, POLL_MS), signal);
    }
  } finally {
    wakeUp.close();
  }
}

function runningHere({ live }: AwaitPorts, owner: Owner, id: RunId): LiveRun | null {
  const known = live.get(id);
  if (!known || known.ended) return null;
  const { applicationId, userId } = known.run.owner;
  return applicationId === owner.applicationId && userId === owner.userId ? known : null;
}

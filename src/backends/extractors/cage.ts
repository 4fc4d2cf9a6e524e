import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../core/ports/clock.ts';
import type { ExtractedText } from '../../core/ports/extractor.ts';
import { converse, untilReady } from './converse.ts';
import type { Job } from './protocol.ts';
import { PING } from './protocol.ts';
import { keepAlive, killProcess, startReadingProcess } from './reading-process.ts';
import type { WorkLimits } from './watch.ts';

/** Reads one document at a time in a process of its own, which is killed when it takes too much. */
export interface Cage {
  /** Resolves or rejects (as `converse` says) when the process waits for the next document or is gone. */
  read(job: Job, signal: AbortSignal): Promise<ExtractedText>;
  /** Ends a process that waits. */
  close(): Promise<void>;
}

interface CageOptions {
  readonly clock: Clock;
  readonly limits: WorkLimits;
  /** How long a process waits for the next document. */
  readonly idleMs: number;
}

/** For a process that waits to say that it is there: one that a document has wedged, or somebody stopped, never does. */
const PING_MS = 5_000;
/** For the start of a process; a busy machine takes long for it. */
const START_MS = 30_000;

/** Resolves to the process when it is ready in time; else it is gone, and this rejects as `untilReady` does. */
async function readyInTime(child: ChildProcess, { clock, ms }: { clock: Clock; ms: number }, signal: AbortSignal): Promise<ChildProcess> {
  const stopTimer = clock.after(ms, () => child.kill('SIGKILL'));
  try {
    await untilReady(child, signal);
    return child;
  } catch (error) {
    await killProcess(child);
    throw error;
  } finally {
    stopTimer();
  }
}

/** Whether a process that has waited is still there. */
async function answers(child: ChildProcess, clock: Clock, signal: AbortSignal): Promise<boolean> {
  keepAlive(child, true);
  child.send(PING);
  try {
    await readyInTime(child, { clock, ms: PING_MS }, signal);
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

/** A process is used again only after a document that went well. */
export function createCage({ clock, limits, idleMs }: CageOptions): Cage {
  let waiting: { readonly child: ChildProcess; readonly forget: () => void } | null = null;

  const keep = (child: ChildProcess): void => {
    const end = (): void => {
      forget();
      child.kill('SIGKILL');
    };
    const stopTimer = clock.after(idleMs, end);
    const forget = (): void => {
      stopTimer();
      child.off('exit', forget);
      waiting = null;
    };
    child.once('exit', forget);
    keepAlive(child, false);
    waiting = { child, forget };
  };
  const takeWaiting = (): ChildProcess | null => {
    const child = waiting?.child ?? null;
    waiting?.forget();
    return child;
  };
  const ready = async (signal: AbortSignal): Promise<ChildProcess> => {
    const kept = takeWaiting();
    if (kept !== null && (await answers(kept, clock, signal))) return kept;
    const child = startReadingProcess(limits.memoryBytes);
    // Whoever waits for the process listens too; this one keeps an error in between from ending the server.
    child.on('error', () => {});
    return readyInTime(child, { clock, ms: START_MS }, signal);
  };
  return {
    read: async (job, signal) => {
      signal.throwIfAborted();
      const child = await ready(signal);
      let reusable = false;
      try {
        const conversation = await converse(child, { job, limits, clock, signal });
        reusable = conversation.reusable;
        return conversation.text;
      } finally {
        if (reusable) keep(child);
        else await killProcess(child);
      }
    },
    close: async () => {
      const child = takeWaiting();
      if (child !== null) await killProcess(child);
    },
  };
}

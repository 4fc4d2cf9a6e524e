import type { RunId, ThreadId, ThreadKey } from '../core/ids.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { StoreHints } from '../core/ports/store-hints.ts';
import type { Owner } from '../core/principal.ts';

/** A thread by its public name, for those who wait for its creation. */
type ThreadName = `thread ${string}`;

type Subject = RunId | ThreadKey | ThreadName;

/** One reader's ear for hints on one subject. A hint between two waits is not lost: the next wait returns at once. */
interface WakeUp {
  /** Resolves at the next hint, after `ms` without one, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Tells readers that something of a run or thread may be new. Only ever a hint: the store has the truth. */
export interface WakeUps {
  listen(subject: Subject): WakeUp;
  /** For readers in this process and, where the store is shared, in others. */
  hint(subject: Subject): void;
  /** For readers in other processes only. */
  publish(subjects: readonly Subject[]): void;
  /** From now on no hint comes from other processes. */
  close(): void;
}

export function threadName({ applicationId, userId }: Owner, id: ThreadId): ThreadName {
  return `thread ${applicationId} ${id} ${userId}`;
}

export function createWakeUps(clock: Clock, hints: StoreHints | null): WakeUps {
  const listeners = new Map<string, Set<() => void>>();
  const wakeListeners = (subject: string) => {
    const awake = listeners.get(subject);
    if (awake) for (const wake of awake) wake();
  };
  const unsubscribe = hints?.subscribe(wakeListeners);

  return {
    hint(subject) {
      wakeListeners(subject);
      hints?.publish([subject]);
    },
    publish: (subjects) => hints?.publish(subjects),
    close: () => unsubscribe?.(),
    listen(subject) {
      const subjectListeners = listeners.get(subject) ?? new Set();
      listeners.set(subject, subjectListeners);
      let hinted = false;
      let waiting: (() => void) | null = null;
      const wake = () => {
        hinted = true;
        waiting?.();
      };
      subjectListeners.add(wake);
      return {
        wait: (ms, signal) =>
          new Promise((resolve) => {
            const done = () => {
              cancelTimer();
              signal.removeEventListener('abort', done);
              waiting = null;
              hinted = false;
              resolve();
            };
            const cancelTimer = clock.after(ms, done);
            signal.addEventListener('abort', done);
            waiting = done;
            if (hinted || signal.aborted) done();
          }),
        close() {
          subjectListeners.delete(wake);
          if (subjectListeners.size === 0 && listeners.get(subject) === subjectListeners) listeners.delete(subject);
        },
      };
    },
  };
}

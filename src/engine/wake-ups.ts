import type { RunId, ThreadKey } from '../core/ids.ts';
import type { Clock } from '../core/ports/clock.ts';

/** One reader's ear for hints on one subject. A hint between two waits is not lost: the next wait returns at once. */
interface WakeUp {
  /** Resolves at the next hint, after `ms` without one, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Tells readers in this process that something of a run or thread may be new. Only ever a hint: the store has the truth. */
export interface WakeUps {
  listen(subject: RunId | ThreadKey): WakeUp;
  hint(subject: RunId | ThreadKey): void;
}

export function createWakeUps(clock: Clock): WakeUps {
  const listeners = new Map<string, Set<() => void>>();

  return {
    hint(subject) {
      for (const wake of listeners.get(subject) ?? []) wake();
    },
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

import type { Clock } from '../../core/ports/clock.ts';
import type { OnFault } from './on-fault.ts';

const LOOK_MS = 500;

interface AccessChangesOptions {
  readonly version: () => Promise<number>;
  /** Reads everything again that may have changed. */
  readonly reread: () => Promise<void>;
  /** Whether other processes can change something too. */
  readonly shared: boolean;
  readonly clock: Clock;
  readonly onFault: OnFault;
}

/** Notices changes of keys and applications: at once when told, and within half a second when another process made them. */
export interface AccessChanges {
  /** What had changed before the call counts when it resolves. */
  look(): Promise<void>;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

export function watchAccessChanges({ version, reread, shared, clock, onFault }: AccessChangesOptions): AccessChanges {
  let known: number | null = null;
  let current: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  /** A look has failed, so that there may be changes that do not count yet. */
  let behind = false;

  async function lookNow(): Promise<void> {
    try {
      const latest = await version();
      if (latest !== known) {
        await reread();
        known = latest;
      }
      behind = false;
    } catch (error) {
      if (!behind) onFault('changes of keys and applications cannot be read; what is known goes on counting', error);
      behind = true;
      throw error;
    }
  }

  /** One that is under way may have read before the change, so a caller needs one that begins now; many callers share it. */
  function look(): Promise<void> {
    if (next !== null) return next;
    const begin = (): Promise<void> => {
      next = null;
      current = lookNow().finally(() => {
        current = null;
      });
      return current;
    };
    if (current === null) return begin();
    next = current.then(begin, begin);
    return next;
  }

  const stop = clock.every(LOOK_MS, async () => {
    // The failure was reported, and the next look makes up for it.
    if (shared || behind) await look().catch(() => undefined);
  });
  return {
    look,
    async close() {
      stop();
      await (next ?? current)?.catch(() => undefined);
    },
  };
}

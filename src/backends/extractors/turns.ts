import { AppError } from '../../core/errors.ts';

/** Lets one caller in at a time; owners take turns, so that one who asks for much does not make the others wait for all of it. */
export interface Turns {
  /** Resolves when it is this caller's turn; the function it gives ends the turn. Rejects when too many wait, or with the signal's reason. */
  take(owner: string, signal: AbortSignal): Promise<() => void>;
}

interface Waiter {
  readonly enter: () => void;
}

function tooMany(): AppError {
  return new AppError('overloaded', 'Too many documents wait to be read; send this one again in a few seconds', { retryAfterSeconds: 10 });
}

/** `maxWaiting` bounds all that wait, `maxPerOwner` those of one owner. */
export function createTurns({ maxWaiting, maxPerOwner }: { readonly maxWaiting: number; readonly maxPerOwner: number }): Turns {
  /** In the order of the owners' turns. */
  const waiting = new Map<string, Waiter[]>();
  let taken = false;

  const count = (): number => [...waiting.values()].reduce((sum, waiters) => sum + waiters.length, 0);
  const remove = (owner: string, waiter: Waiter): void => {
    const others = (waiting.get(owner) ?? []).filter((other) => other !== waiter);
    if (others.length > 0) waiting.set(owner, others);
    else waiting.delete(owner);
  };
  const letNextIn = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      taken = false;
      return;
    }
    const [owner, [first, ...rest]] = next;
    waiting.delete(owner);
    if (rest.length > 0) waiting.set(owner, rest);
    first?.enter();
  };
  const turn = (): (() => void) => {
    let ended = false;
    return () => {
      if (!ended) letNextIn();
      ended = true;
    };
  };

  return {
    take: async (owner, signal) => {
      signal.throwIfAborted();
      if (!taken) {
        taken = true;
        return turn();
      }
      const own = waiting.get(owner) ?? [];
      if (own.length >= maxPerOwner || count() >= maxWaiting) throw tooMany();
      return new Promise((resolve, reject) => {
        const leave = () => {
          remove(owner, waiter);
          reject(signal.reason);
        };
        const waiter: Waiter = {
          enter: () => {
            signal.removeEventListener('abort', leave);
            resolve(turn());
          },
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting.set(owner, [...own, waiter]);
      });
    },
  };
}

/** Lets a few do something at the same time while others wait, in the order in which they came. */
export interface Turns {
  /** Does the task when it is its turn; gives null, without having begun it, when the signal aborts before. */
  take<Result>(signal: AbortSignal, task: () => Promise<Result>): Promise<Result | null>;
}

interface Room {
  readonly limit: number;
  busy: number;
  /** Null while nobody waits. */
  waiting: Set<() => void> | null;
}

/** Turns for at most `limit` at a time. */
export function createTurns(limit: number): Turns {
  const room: Room = { limit, busy: 0, waiting: null };
  return {
    async take(signal, task) {
      if (!(await untilMyTurn(room, signal))) return null;
      try {
        return signal.aborted ? null : await task();
      } finally {
        pass(room);
      }
    },
  };
}

/** Whether it has come; false when the signal aborted before. */
function untilMyTurn(room: Room, signal: AbortSignal): boolean | Promise<boolean> {
  if (signal.aborted) return false;
  if (room.busy < room.limit) {
    room.busy += 1;
    return true;
  }
  return new Promise((resolve) => {
    const begin = () => {
      signal.removeEventListener('abort', leave);
      resolve(true);
    };
    const leave = () => {
      room.waiting?.delete(begin);
      resolve(false);
    };
    room.waiting ??= new Set();
    room.waiting.add(begin);
    signal.addEventListener('abort', leave, { once: true });
  });
}

/** Hands the place to whoever waits longest. */
function pass(room: Room): void {
  const [next] = room.waiting ?? [];
  if (next === undefined) {
    room.busy -= 1;
    room.waiting = null;
    return;
  }
  room.waiting?.delete(next);
  next();
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunEvent } from '../../src/core/run-event.ts';
import type { Follow } from '../../src/engine/index.ts';
import type { EventStream } from '../../src/http/event-stream.ts';

/** A run whose log grows when the test says so; hands over in pieces of its own choosing and holds back as the port says. */
export function createGrowingRun(log: readonly RunEvent[], pieces: () => number) {
  let stored = 0;
  let following = 0;
  const wakes = new Set<() => void>();

  async function handOver(input: Follow): Promise<void> {
    let position = input.after;
    while (!input.signal.aborted && position < log.length) {
      const events = log.slice(position, Math.min(stored, position + pieces()));
      position += events.length;
      if (events.length === 0) await new Promise<void>((resolve) => waitFor(resolve, input.signal, wakes));
      else await (input.onEvents(events) ?? (pieces() % 2 ? nextTurn() : undefined));
    }
  }

  return {
    get following() {
      return following;
    },
    grow(to: number) {
      stored = Math.min(log.length, to);
      for (const wake of [...wakes]) wake();
    },
    runs: {
      follow(input: Follow): Promise<void> {
        following += 1;
        return handOver(input).finally(() => {
          following -= 1;
        });
      },
    },
  };
}

function waitFor(resolve: () => void, signal: AbortSignal, wakes: Set<() => void>): void {
  const done = () => {
    wakes.delete(done);
    signal.removeEventListener('abort', done);
    resolve();
  };
  wakes.add(done);
  signal.addEventListener('abort', done);
}

/** A response whose socket takes `room` bytes before it wants to drain, and drains when the test says so. */
export function createFakeStream(room: number) {
  const closed = new AbortController();
  const waiting = new Set<() => void>();
  const seen = { text: '', unsent: 0, largestUnsent: 0, writes: 0, ended: false, broken: false };
  const drain = () => {
    seen.unsent = 0;
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  const stream: EventStream = {
    signal: closed.signal,
    needsDrain: () => seen.unsent >= room,
    write(frames) {
      if (closed.signal.aborted) return;
      seen.text += frames.toString();
      seen.unsent += frames.length;
      seen.largestUnsent = Math.max(seen.largestUnsent, seen.unsent);
      seen.writes += 1;
    },
    drained: () => (seen.unsent >= room && !closed.signal.aborted ? new Promise((resolve) => waiting.add(resolve)) : Promise.resolve()),
    end() {
      if (closed.signal.aborted) return;
      seen.ended = true;
      closed.abort();
    },
    destroy() {
      seen.broken = true;
      closed.abort();
      drain();
    },
  };
  return { stream, seen, drain };
}

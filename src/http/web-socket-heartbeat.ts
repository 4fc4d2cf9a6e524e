import type { Clock } from '../core/ports/clock.ts';
import type { KeptConnection } from './web-socket-connection.ts';

const TICK_MS = 5_000;
/** Between two pings: 30 s. */
const PING_TICKS = 6;
/** A client that used to answer pings and does so no more, nor sends anything, is gone: after 60 to 65 s. */
const LOST_TICKS = 12;
/** A client that never answered a ping and sends nothing is idle: after 5 minutes. */
const IDLE_TICKS = 60;
/** A connection whose unsent bytes did not shrink is cut off: after 30 to 35 s. */
const STALL_TICKS = 6;
/** A client that does not confirm a close is left: after 10 to 15 s. */
const CLOSING_TICKS = 2;

/** Looks after all WebSockets with one timer. */
export interface Heartbeat {
  /** Those that it looks after. */
  readonly size: number;
  all(): Iterable<KeptConnection>;
  add(connection: KeptConnection): void;
  /** One that is closed. */
  remove(connection: KeptConnection): void;
}

interface Pulse {
  frames: number;
  pongs: number;
  quietTicks: number;
  unsent: number;
  stalledTicks: number;
  closingTicks: number;
}

/** Pings every connection, and closes those whose client is gone (1006), idle (1000) or reads nothing (1013). */
export function createHeartbeat(clock: Clock): Heartbeat {
  const pulses = new Map<KeptConnection, Pulse>();
  let tick = 0;
  let ticking = false;

  function onTick(): void {
    tick += 1;
    for (const [connection, pulse] of pulses) tend(connection, pulse, tick % PING_TICKS === 0);
    ticking = pulses.size > 0;
    if (ticking) clock.after(TICK_MS, onTick);
  }

  return {
    get size() {
      return pulses.size;
    },
    all: () => pulses.keys(),
    add(connection) {
      pulses.set(connection, { frames: 0, pongs: 0, quietTicks: 0, unsent: 0, stalledTicks: 0, closingTicks: 0 });
      if (ticking) return;
      ticking = true;
      clock.after(TICK_MS, onTick);
    },
    remove: (connection) => void pulses.delete(connection),
  };
}

function tend(connection: KeptConnection, pulse: Pulse, ping: boolean): void {
  const { socket } = connection;
  const { frames, pongs } = connection.counts;
  const unsent = connection.unsentBytes();
  pulse.stalledTicks = unsent > 0 && unsent >= pulse.unsent ? pulse.stalledTicks + 1 : 0;
  pulse.unsent = unsent;
  const quiet = frames === pulse.frames && pongs === pulse.pongs && !socket.isPaused;
  pulse.quietTicks = quiet ? pulse.quietTicks + 1 : 0;
  pulse.frames = frames;
  pulse.pongs = pongs;

  if (connection.signal.aborted) {
    pulse.closingTicks += 1;
    if (pulse.closingTicks > CLOSING_TICKS) socket.terminate();
    return;
  }
  if (pulse.stalledTicks > STALL_TICKS) connection.close(1013, 'Too slow; connect again and ask for the history');
  else if (pongs > 0 && pulse.quietTicks > LOST_TICKS) socket.terminate();
  else if (pulse.quietTicks >= IDLE_TICKS) connection.close(1000, 'Idle');
  else if (ping && unsent === 0) socket.ping();
}

import type { Clock } from '../../../core/ports/clock.ts';
import type { Timeouts } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';

/** How much a provider may send. */
interface Limits {
  /** UTF-16 code units of one line of a stream. */
  readonly lineCharacters: number;
  /** UTF-16 code units of text, reasoning and tool arguments of one answer. */
  readonly answerCharacters: number;
  /** UTF-16 code units of an error's body that are looked at. */
  readonly errorCharacters: number;
}

/** What all tries with one provider share. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
  readonly now: () => number;
}

/** How any provider behind HTTP is set up. */
export interface UpstreamOptions {
  readonly timeouts?: Partial<Timeouts>;
  readonly limits?: Partial<Limits>;
  /** In [0, 1), spreads the tries of many runs. */
  readonly random?: () => number;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
}

const TIMEOUTS: Timeouts = { firstByteMs: 60_000, idleMs: 60_000, totalMs: 30 * 60_000 };
const LIMITS: Limits = { lineCharacters: 1024 * 1024, answerCharacters: 4_000_000, errorCharacters: 64 * 1024 };

/** A connection with the bounds that are set, else the usual ones. */
export function createConnection(endpoint: Endpoint, { timeouts, limits, clock }: UpstreamOptions): Connection {
  return { endpoint, timeouts: { ...TIMEOUTS, ...timeouts }, limits: { ...LIMITS, ...limits }, now: clock.now };
}

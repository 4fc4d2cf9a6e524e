import type { Clock } from '../../../core/ports/clock.ts';
import type { Lease } from '../../../core/ports/store.ts';
import type { Session } from '../sql/session.ts';
import type { StoreOperations } from '../sql/store-operations.ts';

const MEASURE_EVERY_MS = 30_000;
/** Clocks that differ by less count as one: shifts stay the same from call to call, and leases last far longer. */
const TOLERANCE_MS = 100;
/** An answer that took longer says too little about the time, and is asked for again. */
const QUICK_MS = 500;
const ATTEMPTS = 3;

const NOW = 'select (extract(epoch from clock_timestamp()) * 1000)::bigint as now';

/** The wall clock and the monotonic one, in milliseconds. */
export type ServerClock = Pick<Clock, 'now' | 'elapsed'>;

/** This machine's own clocks. */
export const serverClock: ServerClock = { now: () => Date.now(), elapsed: () => performance.now() };

/** The database's time, which servers with different clocks have in common. */
export interface DatabaseClock {
  /** Asks the database for its time; in between, this server's monotonic clock tells how far that has gone on. */
  measure(session: Session): Promise<void>;
  /** Milliseconds to add to a time of this server to make it the database's; measured at most half a minute ago. */
  shift(session: Session): Promise<number>;
}

interface Measurement {
  /** What the database's time is ahead of the monotonic clock. */
  readonly ahead: number;
  /** By the monotonic clock. */
  readonly at: number;
  readonly took: number;
}

/** The database's time as told by this clock; measure it on every new connection, which may lead to another database server. */
export function createDatabaseClock(clock: ServerClock): DatabaseClock {
  let latest: Measurement | null = null;
  let shift = 0;

  async function measured(session: Session): Promise<Measurement> {
    let best = await measureOnce(session, clock);
    for (let attempt = 1; attempt < ATTEMPTS && best.took > QUICK_MS; attempt += 1) {
      const next = await measureOnce(session, clock);
      if (next.took < best.took) best = next;
    }
    latest = best;
    return best;
  }
  return {
    measure: async (session) => void (await measured(session)),
    async shift(session) {
      const recent = latest !== null && clock.elapsed() - latest.at < MEASURE_EVERY_MS;
      const { ahead } = recent && latest !== null ? latest : await measured(session);
      const exact = Math.round(ahead + clock.elapsed() - clock.now());
      if (Math.abs(exact - shift) > TOLERANCE_MS) shift = exact;
      return shift;
    },
  };
}

async function measureOnce(session: Session, clock: ServerClock): Promise<Measurement> {
  const before = clock.elapsed();
  const [row] = (await session.all(NOW, [])) as readonly { readonly now: number }[];
  const at = clock.elapsed();
  if (row === undefined) throw new Error('PostgreSQL did not say what time it is.');
  return { ahead: row.now - (before + at) / 2, at, took: at - before };
}

/** A lease whose end is moved by `shift` milliseconds. */
export function shiftedLease<L extends Lease>(lease: L, shift: number): L {
  return { ...lease, until: lease.until + shift };
}

/** The same operations with leases, and the time at which they are over, moved by `shift` milliseconds. */
export function withShiftedLeases(operations: StoreOperations, shift: number): StoreOperations {
  const moved = <L extends Lease>(lease: L): L => shiftedLease(lease, shift);
  return {
    ...operations,
    beginRun: (input) => operations.beginRun({ ...input, lease: input.lease && moved(input.lease) }),
    claimQueued: (input) => operations.claimQueued({ ...input, lease: moved(input.lease) }),
    renewLeases: (lease) => operations.renewLeases(moved(lease)),
    takeLost: (input) => operations.takeLost({ ...input, now: input.now + shift, lease: moved(input.lease) }),
  };
}

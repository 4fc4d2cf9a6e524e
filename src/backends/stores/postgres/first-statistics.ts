import type { Connection } from './connection.ts';
import type { Lane } from './lane.ts';
import type { StoreLog } from './store-log.ts';

/** Few enough to be there at once, enough to tell what is rare in a column from what is common. */
const RUNS = 32;

const MISSING = "select 1 from pg_class where oid = 'polylogue.runs'::regclass and reltuples < 0";

const ANALYZE = `analyze applications, users, threads, thread_events, messages, attachments, search_entries, runs, run_log_live, run_logs,
  idempotency_keys`;

/** Gets statistics for a new or restored database as soon as there is something in it. */
export interface FirstStatistics {
  /** A run has begun. */
  begun(): void;
}

/**
 * PostgreSQL's own upkeep comes by after a minute. Until then its planner takes all tables for empty, finds one way to a row as good as any
 * other, and keeps to ways that read whole indexes.
 */
export function createFirstStatistics(lane: Lane, log: StoreLog): FirstStatistics {
  let runs = 0;
  return {
    begun() {
      runs += 1;
      if (runs !== RUNS) return;
      lane.run(analyzeIfMissing).catch((error: unknown) => log.warn({ err: error }, 'PostgreSQL has no statistics of the tables yet'));
    },
  };
}

async function analyzeIfMissing({ session, execute }: Connection): Promise<void> {
  if ((await session.all(MISSING, [])).length > 0) await execute(ANALYZE);
}

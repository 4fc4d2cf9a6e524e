import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { isBusy, pidFileIn, storeInUse } from './in-use.ts';
import { indexCleaner } from './index-cleaner.ts';
import type { Scrubber } from './scrubber.ts';
import { scrubberOf } from './scrubber.ts';

const PAGES_BEFORE_CHECKPOINT = 4000;
const CACHE_KIB = 4 * 1024;

/** How much a commit waits for: `full` until it is on the disk, `normal` until it is with the operating system. */
export type Sync = 'full' | 'normal';

/** What steers a transaction, or one call's part of it. */
type Steering = 'BEGIN IMMEDIATE' | 'COMMIT' | 'SAVEPOINT call' | 'RELEASE call';

/** The one connection to the data file. */
export interface Connection {
  readonly database: DatabaseSync;
  steer(statement: Steering): void;
  /** Sets what the next commits wait for; only between transactions. */
  setSync(sync: Sync): void;
  /** Moves what the write-ahead log holds into the data file. */
  checkpoint(): void;
  /** Clears some of the search index of what was removed from it; false when all of it is clear. Between transactions. */
  clearIndex(): boolean;
  /** Clears unused space from `page` on (0 is the first) and gives the page to go on with; null behind the last. Between transactions. */
  scrub(page: number): number | null;
  close(): void;
}

/** Opens DATA_DIR/polylogue.db for this process alone; throws a `StoreInUse` when another process has it. */
export function openDatabase(dataDir: string): Connection {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'polylogue.db');
  keepPrivate(file);
  const database = new DatabaseSync(file);
  const pidFile = pidFileIn(dataDir);
  try {
    configure(database);
  } catch (error) {
    database.close();
    if (isBusy(error)) throw storeInUse(dataDir, error);
    throw error;
  }
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  const scrubber = scrubberOf(file, pageSizeOf(database));
  const clearIndex = indexCleaner(database);
  const steer = steeringOf(database);
  let current: Sync = 'full';
  const setSync = (sync: Sync): void => {
    if (sync === current) return;
    database.exec(sync === 'full' ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL');
    current = sync;
  };
  return {
    database,
    steer,
    setSync,
    checkpoint: () => {
      database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    },
    clearIndex: () => {
      setSync('normal');
      return clearIndex();
    },
    scrub: (page) => scrub(database, scrubber, page),
    close: () => {
      emptyLog(database);
      database.close();
      scrubber.close();
      rmSync(pidFile, { force: true });
    },
  };
}

/** Makes the file, which holds what people wrote, readable for this user only; SQLite gives the log beside it the same mode. */
function keepPrivate(file: string): void {
  // An existing file is not opened here: closing it would give up the lock that a store of this process may have on it.
  if (existsSync(file)) chmodSync(file, 0o600);
  else closeSync(openSync(file, 'wx', 0o600));
}

function configure(database: DatabaseSync): void {
  // The lock must be asked for before the first read: SQLite then keeps it until the connection closes.
  database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = ${PAGES_BEFORE_CHECKPOINT}; PRAGMA cache_size = -${CACHE_KIB}`);
  database.exec('BEGIN EXCLUSIVE; COMMIT');
}

/** Each is prepared once: to parse them anew costs as much as a small read. */
function steeringOf(database: DatabaseSync): Connection['steer'] {
  const prepared: Readonly<Record<Steering, StatementSync>> = {
    'BEGIN IMMEDIATE': database.prepare('BEGIN IMMEDIATE'),
    COMMIT: database.prepare('COMMIT'),
    'SAVEPOINT call': database.prepare('SAVEPOINT call'),
    'RELEASE call': database.prepare('RELEASE call'),
  };
  return (statement) => void prepared[statement].run();
}

function scrub(database: DatabaseSync, scrubber: Scrubber, page: number): number | null {
  emptyLog(database);
  database.exec('PRAGMA shrink_memory');
  return scrubber.step(page);
}

function emptyLog(database: DatabaseSync): void {
  const outcome = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  if (outcome?.busy !== 0) throw new Error('The write-ahead log could not be emptied.');
}

function pageSizeOf(database: DatabaseSync): number {
  const size = database.prepare('PRAGMA page_size').get()?.page_size;
  if (typeof size !== 'number') throw new Error('The data file does not tell the size of its pages.');
  return size;
}

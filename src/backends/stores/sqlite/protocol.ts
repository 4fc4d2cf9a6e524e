import type { StoreOperations } from '../sql/store-operations.ts';

export type OperationName = keyof StoreOperations;

/** One call of the store on its way to the worker. */
export interface Call {
  readonly id: number;
  readonly operation: OperationName | 'close';
  readonly input: readonly unknown[];
}

/** A call that failed; `error` is an Error as structured clone carries it, without properties of its own. */
export interface Failure {
  readonly id: number;
  readonly error: Error;
  /** SQLite's name of what the machine does not give (room on the disk, say); null when the machine is not to blame. */
  readonly unavailable: string | null;
}

/** How a call went. */
export type Outcome = { readonly id: number; readonly value: unknown } | Failure;

/** By SQLite's primary result code. */
const UNAVAILABLE: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
};

export function failed(id: number, error: unknown): Failure {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) % 256 : 0;
  return { id, error: error instanceof Error ? error : new Error(String(error)), unavailable: UNAVAILABLE[code] ?? null };
}

/** The worker's first message. */
export type Opened = { readonly opened: true } | { readonly opened: false; readonly reason: string; readonly inUse: boolean };

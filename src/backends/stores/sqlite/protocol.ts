import type { StoreOperations } from '../sql/store-operations.ts';

export type OperationName = keyof StoreOperations;

/** One call of the store on its way to the worker. */
export interface Call {
  readonly id: number;
  readonly operation: OperationName | 'close';
  readonly input: readonly unknown[];
}

/** How a call went; `error` is an Error as structured clone carries it. */
export type Outcome = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: Error };

/** The worker's first message. */
export type Opened = { readonly opened: true } | { readonly opened: false; readonly reason: string };

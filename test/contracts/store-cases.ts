import type { Store } from '../../src/core/ports/store.ts';

/** An open, empty store. A case that closes it puts the reopened one into `store`. */
export interface Opened {
  readonly dir: string;
  readonly open: () => Promise<Store>;
  store: Store;
}

/** Titles and checks of one part of the contract. */
export type StoreCases = Readonly<Record<string, (opened: Opened) => Promise<void>>>;

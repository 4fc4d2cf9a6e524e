import type { Store } from '../../src/core/ports/store.ts';

/** Where a store keeps its data. */
export interface StorePlace {
  /** Its directory or its URL. */
  readonly address: string;
  /** Names of the files or tables that hold a text. */
  holding(text: string): Promise<readonly string[]>;
  remove(): Promise<void>;
}

/** An open, empty store. A case that closes it puts the reopened one into `store`. */
export interface Opened {
  readonly place: StorePlace;
  readonly open: () => Promise<Store>;
  store: Store;
}

/** Titles and checks of one part of the contract. */
export type StoreCases = Readonly<Record<string, (opened: Opened) => Promise<void>>>;

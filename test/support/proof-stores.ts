import { embeddedStore, type ProofStore, postgresStore, type StoreName } from '../proofs/stores.ts';
import { findTestServer } from './test-database.ts';

/** A store that every proof is done on. */
export interface ProofStoreChoice {
  readonly name: StoreName;
  /** Whether it cannot be had here. */
  readonly skip: boolean;
  open(): Promise<ProofStore>;
}

/** The stores of the house, for tests that run once on each. */
export async function proofStores(): Promise<readonly ProofStoreChoice[]> {
  const server = await findTestServer();
  return [
    { name: 'embedded', skip: false, open: async () => embeddedStore },
    { name: 'postgres', skip: server === null, open: () => postgresStore(server ?? '') },
  ];
}

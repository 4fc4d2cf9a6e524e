import type { StoreKind } from './goals.ts';
import type { Protocol } from './protocols.ts';
import type { RoundSetting } from './rounds.ts';
import type { Row } from './rows.ts';
import type { Companion } from './targets.ts';

/** What scenarios run with. */
export interface Bench extends RoundSetting {
  readonly store: StoreKind;
  readonly upstream: Companion & { readonly url: string };
  /** The store's server; null for the embedded store. */
  readonly database: Database | null;
  /** Through which doors the server is asked. */
  readonly dialects: readonly Protocol[];
  /** Smaller loads, for CI. */
  readonly small: boolean;
  /** A folder for CPU profiles; null measures instead. */
  readonly profileTo: string | null;
}

/** A PostgreSQL server of the bench's own. */
export interface Database {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** What a scenario has found. */
export interface Findings {
  readonly rows: readonly Row[];
  /** Numbers by their names in the goals; others are told beside them. */
  readonly figures: Readonly<Record<string, number>>;
  /** What else there is to know. */
  readonly notes: readonly string[];
  /** The greatest share of a processor that strangers took. */
  readonly strangers: number;
}

/** One kind of load. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  run(bench: Bench): Promise<Findings>;
}

import type { EnginePorts } from '../engine.ts';

/** What the administration of keys and applications needs. */
export interface AccessPorts extends Pick<EnginePorts, 'store' | 'clock' | 'ids' | 'tiers' | 'access'> {
  /** Resolves when a change counts in this process; others have been told. */
  readonly changed: () => Promise<void>;
}

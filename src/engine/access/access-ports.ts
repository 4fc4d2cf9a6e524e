import type { AccessChange } from '../../core/access.ts';
import type { EnginePorts } from '../engine.ts';

/** What the administration of keys and applications needs. */
export interface AccessPorts extends Pick<EnginePorts, 'store' | 'clock' | 'ids' | 'tiers' | 'access'> {
  /** Reports a change; resolves when it counts in this process; others have been told. */
  readonly changed: (change: AccessChange) => Promise<void>;
}

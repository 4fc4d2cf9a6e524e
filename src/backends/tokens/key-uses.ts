import type { KeyId } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { AccessStore } from '../../core/ports/store.ts';
import type { OnFault } from './on-fault.ts';

const WRITE_MS = 60_000;

/** Notes when keys were used, and writes that down once a minute. */
export interface KeyUses {
  note(id: KeyId): void;
  /** Writes the last ones. */
  close(): Promise<void>;
}

export function createKeyUses(options: { store: Pick<AccessStore, 'touchKeys'>; clock: Clock; onFault: OnFault }): KeyUses {
  const { store, clock, onFault } = options;
  let uses = new Map<KeyId, number>();
  async function write(): Promise<void> {
    if (uses.size === 0) return;
    const written = uses;
    uses = new Map();
    try {
      await store.touchKeys([...written].map(([id, at]) => ({ id, at })));
    } catch (error) {
      uses = new Map([...written, ...uses]);
      onFault('it cannot be written down when keys were last used', error);
    }
  }
  const stop = clock.every(WRITE_MS, write);
  return {
    note: (id) => uses.set(id, clock.now()),
    async close() {
      stop();
      await write();
    },
  };
}

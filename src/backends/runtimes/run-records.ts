import { setImmediate } from 'node:timers/promises';
import { AppError, storeUnavailable } from '../../core/errors.ts';
import type { AgentTask } from '../../core/ports/agent-runtime.ts';

/** A text that a run keeps for its next attempt. */
interface RunRecord {
  readonly name: string;
  readonly text: string;
}

/** What a run keeps between its attempts. */
export interface RunRecords {
  list(prefix: string): Promise<readonly RunRecord[]>;
  /**
   * Stores what `make` gives, one such call after another, behind all text that has been told by then. `make` is called when everything that
   * waited to be told has been. Rejects when the records are too large, or the run is another attempt's.
   */
  put(make: () => readonly RunRecord[]): Promise<void>;
}

const MAX_BYTES = 8_388_608;

/** The checkpoints of a task as texts; a store that fails is said to be the store. */
export function runRecords({ run, checkpoints, stored, signal }: Pick<AgentTask, 'run' | 'checkpoints' | 'stored' | 'signal'>): RunRecords {
  const { id, attempt } = run;
  const unavailable = (error: unknown) => {
    throw error instanceof AppError ? error : storeUnavailable(error);
  };
  async function store(records: readonly RunRecord[]): Promise<void> {
    const encoded = records.map(({ name, text }) => ({ name, data: new TextEncoder().encode(text) }));
    if (encoded.some(({ data }) => data.byteLength > MAX_BYTES))
      throw new AppError('run_failed', 'The state of the agent is larger than 8 MiB');
    await stored();
    const kept = await checkpoints.putCheckpoints({ id, attempt }, encoded).catch(unavailable);
    if (!kept) throw new AppError('run_failed', 'Another attempt has this run');
  }

  let last: Promise<unknown> = Promise.resolve();
  return {
    async list(prefix) {
      const found = await checkpoints.listCheckpoints(id, prefix).catch(unavailable);
      return found.map(({ name, data }) => ({ name, text: new TextDecoder().decode(data) }));
    },
    put(make) {
      const putting = last.then(async () => {
        await setImmediate(undefined, { signal });
        await store(make());
      });
      // Whoever put it hears of its failure.
      last = putting.catch(() => undefined);
      return putting;
    },
  };
}

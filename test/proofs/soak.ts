import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { doors } from '../../src/app.ts';
import type { Engine } from '../../src/engine/index.ts';
import type { Dialect, DialectDeps } from '../../src/http/dialect.ts';

const PATIENCE_MS = 10_000;

/** The front doors of a server, and what they leave behind. */
export interface WatchedDoors {
  readonly dialects: readonly Dialect[];
  /** Streams of runs that have not been given up, once that number stays or is 0. */
  openReaders(): Promise<number>;
  /** Whether a drain has nothing to wait for. The server takes no more work afterwards. */
  isIdle(): Promise<boolean>;
}

/** All doors, each stream through them counted. Start the server with a drain time much longer than ten seconds for `isIdle`. */
export function watchDoors(): WatchedDoors {
  let open = 0;
  let engine: Engine | null = null;

  function watched(deps: DialectDeps): DialectDeps {
    engine = deps.engine;
    return {
      ...deps,
      runStreams: {
        async open(input) {
          open += 1;
          try {
            await deps.runStreams.open(input);
          } finally {
            open -= 1;
          }
        },
      },
    };
  }

  return {
    dialects: doors.map((dialect) => ({
      ...dialect,
      register: (scope, deps) => dialect.register(scope, watched(deps)),
    })),
    async openReaders() {
      for (let waited = 0; open > 0 && waited < PATIENCE_MS; waited += 20) await sleep(20);
      return open;
    },
    async isIdle() {
      const idle = engine?.drain(6 * PATIENCE_MS).then(() => true);
      return (await Promise.race([idle, sleep(PATIENCE_MS, false, { ref: false })])) ?? false;
    },
  };
}

/** Bytes that live on the heap of this process after a full collection. */
export function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}

import type { Clock } from '../core/ports/clock.ts';
import type { Store } from '../core/ports/store.ts';
import { runNotFound } from '../core/refusals.ts';
import type { Run } from '../core/run.ts';
import { createAccess } from './access/create-access.ts';
import type { Engine, EnginePorts } from './engine.ts';
import { createLimits } from './limits/create-limits.ts';
import { modelNamed } from './models.ts';
import { createAwait } from './runs/await.ts';
import { createCancel } from './runs/cancel.ts';
import { createFollow, createRead } from './runs/follow.ts';
import { createRunHost, type RunHost } from './runs/host.ts';
import { createLatelyRefused } from './runs/lately-refused.ts';
import type { LiveRuns } from './runs/live-run.ts';
import { createStart } from './runs/start.ts';
import { createSweep } from './runs/sweep.ts';
import { createThreads } from './threads.ts';

const PING_MS = 2_000;
/** How long a drain waits for the ends of the runs it has interrupted. */
const INTERRUPT_MS = 3_000;

/** The engine over its ports. `recover` before serving, `drain` before closing the store. */
export function createEngine(ports: EnginePorts): Engine {
  const { store, catalogue, clock, settings } = ports;
  const host = createRunHost(ports);
  const { live, wakeUps, lease, execute } = host;
  const awaitEnd = createAwait({ store, clock, wakeUps });
  const queue = { store, clock, lease, execute };
  const limits = createLimits(ports);
  const sweep = createSweep({ ...queue, tell: host.tell, renew: host.renew });

  return {
    threads: createThreads({ ...ports, wakeUps, live }),
    runs: {
      start: createStart({
        ...ports,
        limits,
        refused: createLatelyRefused(ports.clock),
        wakeUps,
        lease,
        execute,
        maxQueued: settings.queuedRunsPerThread,
      }),
      find: async (owner, id) => knownRun(await store.findRun(owner, id)),
      findInApplication: async (owner, id) => knownRun(await store.findRunInApplication(owner.applicationId, id)),
      active: (owner) => store.activeRun(owner),
      liveOf: (owner, messageId) => store.liveRunOf(owner, messageId),
      cancel: createCancel({ ...queue, wakeUps, live, awaitEnd, tell: host.tell }),
      follow: createFollow({ live, log: store, wakeUps, clock }),
      read: createRead({ live, log: store }),
      await: awaitEnd,
    },
    models: {
      defaultModel: catalogue.defaultModel,
      list: () => catalogue.list(),
      find: (name) => modelNamed(catalogue, name),
    },
    access: createAccess(ports),
    limits,
    agents: ports.agents,
    async recover() {
      await store.purgeThread(null);
      await sweep();
      host.startUpkeep(sweep);
    },
    readiness: () => readiness(host, ports),
    async drain(graceMs) {
      host.startDraining();
      await settle(live, clock, graceMs);
      for (const run of live.all()) run.stop('interrupted');
      await settle(live, clock, INTERRUPT_MS);
      host.close();
    },
  };
}

async function readiness(host: RunHost, { store, clock }: EnginePorts): ReturnType<Engine['readiness']> {
  if (host.draining) return { ready: false, reason: 'The server is shutting down' };
  if (host.failing) return { ready: false, reason: 'The store does not take writes' };
  return (await answers(store, clock)) ? { ready: true } : { ready: false, reason: 'The store does not answer' };
}

async function settle(live: LiveRuns, clock: Clock, ms: number): Promise<void> {
  const until = clock.elapsed() + ms;
  while (live.size > 0 && clock.elapsed() < until) await clock.sleep(20);
}

async function answers(store: Pick<Store, 'ping'>, clock: Clock): Promise<boolean> {
  const timeout = new AbortController();
  try {
    return await Promise.race([store.ping().then(() => true), clock.sleep(PING_MS, timeout.signal).then(() => false)]);
  } catch {
    return false;
  } finally {
    timeout.abort();
  }
}

function knownRun(run: Run | null): Run {
  if (!run) throw runNotFound();
  return run;
}

import type { Clock } from '../core/ports/clock.ts';
import type { Store } from '../core/ports/store.ts';
import { runNotFound } from '../core/refusals.ts';
import type { Run } from '../core/run.ts';
import { createAccess } from './access/create-access.ts';
import { createCanResume } from './agents/answer-by-agent.ts';
import { createAgents } from './agents/create-agents.ts';
import { createAttachments } from './attachments/create-attachments.ts';
import { createStrays, type Strays } from './attachments/strays.ts';
import type { Engine, EnginePorts } from './engine.ts';
import { createLimits } from './limits/create-limits.ts';
import { modelNamed } from './models.ts';
import { createPrompts } from './prompts/create-prompts.ts';
import { createPreviewPlaces } from './prompts/preview-places.ts';
import { createPreviews, type Previews } from './prompts/previews.ts';
import { createAwait, createAwaitAnswer } from './runs/await.ts';
import { createCancel } from './runs/cancel.ts';
import { createDecide, createExpireApprovals } from './runs/decide.ts';
import { createFollow, createRead } from './runs/follow.ts';
import { createRunHost, type RunHost } from './runs/host.ts';
import { createLatelyRefused } from './runs/lately-refused.ts';
import { leaveRuns } from './runs/leave.ts';
import type { RecoverPorts } from './runs/recover.ts';
import { createStart } from './runs/start.ts';
import { createSweep } from './runs/sweep.ts';
import { createThreads } from './threads.ts';

const PING_MS = 2_000;
/** How long a drain waits for the ends of the runs it has stopped. */
const INTERRUPT_MS = 3_000;
const MEBIBYTE = 1024 * 1024;

/** The engine over its ports. `recover` before serving, `drain` before closing the store. */
export function createEngine(ports: EnginePorts): Engine {
  const { store, catalogue, clock, settings } = ports;
  const host = createRunHost(ports);
  const { live, wakeUps, lease, execute } = host;
  const awaitPorts = { store, clock, wakeUps, live };
  const queue = { store, clock, lease, execute };
  const limits = createLimits(ports);
  const places = createPreviewPlaces({ ...ports, limits });
  const previews = createPreviews({ ...ports, limits, places, answerChars: settings.answerChars });
  const canResume = createCanResume(ports);
  const deciding = { ...queue, tell: host.tell };
  const sweep = createSweep({ ...deciding, canResume, renew: host.renew });
  const strays = createStrays(ports);

  return {
    threads: createThreads({ ...ports, wakeUps, live, removeUnusedFiles: strays.removeUnused }),
    runs: {
      start: createStart({
        ...ports,
        limits,
        refused: createLatelyRefused(ports.clock),
        wakeUps,
        lease,
        execute: (run, context) => execute(run, [], context),
        maxQueued: settings.queuedRunsPerThread,
        defaultAgent: settings.defaultAgent,
      }),
      find: async (owner, id) => knownRun(await store.findRun(owner, id)),
      findInApplication: async (owner, id) => knownRun(await store.findRunInApplication(owner.applicationId, id)),
      active: (owner) => store.activeRun(owner),
      liveOf: (owner, messageId) => store.liveRunOf(owner, messageId),
      cancel: createCancel({ ...queue, wakeUps, live, awaitEnd: createAwait(awaitPorts), tell: host.tell, canResume }),
      decide: createDecide(deciding),
      follow: createFollow({ live, log: store, wakeUps, clock }),
      read: createRead({ live, log: store }),
      await: createAwaitAnswer(awaitPorts),
    },
    models: {
      defaultModel: catalogue.defaultModel,
      list: () => catalogue.list(),
      find: (name) => modelNamed(catalogue, name),
    },
    prompts: createPrompts({ ...ports, previews }),
    attachments: createAttachments({ ...ports, wakeUps, strays, userBytes: settings.fileMebibytesPerUser * MEBIBYTE }),
    access: createAccess(ports),
    limits,
    agents: createAgents({ ...ports, defaultAgent: settings.defaultAgent }),
    recover: () => recover(ports, { host, sweep, strays, expireApprovals: createExpireApprovals(deciding) }),
    readiness: () => readiness(host, ports),
    drain: (graceMs) => drain(ports, { host, previews, canResume, graceMs }),
  };
}

interface Draining {
  readonly host: RunHost;
  readonly previews: Previews;
  readonly canResume: RecoverPorts['canResume'];
  readonly graceMs: number;
}

async function drain({ store, clock }: EnginePorts, { host, previews, canResume, graceMs }: Draining): Promise<void> {
  host.startDraining();
  previews.startDraining();
  const working = [host.live, previews];
  await settle(working, clock, graceMs);
  await leaveRuns({ store, live: host.live, canResume });
  previews.stop();
  await settle(working, clock, INTERRUPT_MS);
  host.close();
}

interface Recovery {
  readonly host: Pick<RunHost, 'startUpkeep'>;
  readonly sweep: () => Promise<void>;
  readonly strays: Strays;
  readonly expireApprovals: () => Promise<void>;
}

async function recover({ store }: EnginePorts, { host, sweep, strays, expireApprovals }: Recovery): Promise<void> {
  await store.purgeThread(null);
  await strays.sweep({ atStart: true });
  await sweep();
  await expireApprovals();
  host.startUpkeep({ sweep, sweepFiles: strays.sweep, expireApprovals });
}

async function readiness(host: RunHost, { store, clock }: EnginePorts): ReturnType<Engine['readiness']> {
  if (host.draining) return { ready: false, reason: 'The server is shutting down' };
  if (host.failing) return { ready: false, reason: 'The store does not take writes' };
  return (await answers(store, clock)) ? { ready: true } : { ready: false, reason: 'The store does not answer' };
}

async function settle(working: readonly { readonly size: number }[], clock: Clock, ms: number): Promise<void> {
  const until = clock.elapsed() + ms;
  while (working.some(({ size }) => size > 0) && clock.elapsed() < until) await clock.sleep(20);
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

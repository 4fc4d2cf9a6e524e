import { once } from 'node:events';
import type { Load, LoadResult } from './load.ts';
import { machineBusySeconds, usageOf } from './process-usage.ts';
import { startCompanion } from './targets.ts';

const SAMPLE_MS = 100;

/** One load on one target. */
export interface Measurement {
  readonly result: LoadResult;
  /** Of the target's whole process tree. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  readonly idleRssBytes: number;
  /** Of the database's process tree; 0 without one. */
  readonly databaseSeconds: number;
  /** Share of one processor that went to processes that have nothing to do with it. */
  readonly strangers: number;
}

/** Who takes part. */
export interface Parties {
  readonly target: number;
  readonly upstream: number;
  readonly database: number | null;
}

/** Puts a load on a target from a process of its own, after a warm-up of the same kind. */
export async function measure(load: Load, parties: Parties): Promise<Measurement> {
  const generator = startCompanion('./load.ts');
  try {
    await put(generator.child, {
      ...load,
      questions: Math.min(load.questions, 2),
      streams: Math.ceil(load.streams / 4),
      spreadMs: load.spreadMs / 4,
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const others = [parties.target, parties.upstream, generator.pid, process.pid, ...(parties.database === null ? [] : [parties.database])];
    const ownSeconds = () =>
      others.reduce(
        (sum, pid) =>
          sum + (pid === process.pid ? process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6 : usageOf(pid).cpuSeconds),
        0,
      );
    const before = {
      target: usageOf(parties.target),
      database: databaseSeconds(parties),
      own: ownSeconds(),
      machine: machineBusySeconds(),
    };
    const sampling = samplePeak(parties.target);
    const result = await put(generator.child, load);
    const peakRssBytes = sampling.stop();
    const after = { target: usageOf(parties.target), database: databaseSeconds(parties), own: ownSeconds(), machine: machineBusySeconds() };
    const strangerSeconds = after.machine - before.machine - (after.own - before.own);
    return {
      result,
      cpuSeconds: after.target.cpuSeconds - before.target.cpuSeconds,
      peakRssBytes,
      idleRssBytes: before.target.rssBytes,
      databaseSeconds: after.database - before.database,
      strangers: Math.max(0, strangerSeconds / (result.wallMs / 1000)),
    };
  } finally {
    generator.child.disconnect();
  }
}

function databaseSeconds({ database }: Parties): number {
  return database === null ? 0 : usageOf(database).cpuSeconds;
}

async function put(generator: ReturnType<typeof startCompanion>['child'], load: Load): Promise<LoadResult> {
  generator.send(load);
  const [result] = (await once(generator, 'message')) as [LoadResult];
  if (result.failures.length > 0) throw new Error(`${result.failures.length} of the answers were wrong, the first: ${result.failures[0]}`);
  return result;
}

function samplePeak(pid: number): { stop(): number } {
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, usageOf(pid).rssBytes);
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

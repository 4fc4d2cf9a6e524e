import { setTimeout as sleep } from 'node:timers/promises';
import type { Load } from './load.ts';
import { cpuSecondsOf, familyOf, readProcesses, rssOf, strangerSeconds, type ThreadSeconds, threadsOf } from './process-usage.ts';
import type { LoadResult } from './recorder.ts';
import { ask, type Companion } from './targets.ts';

const SAMPLE_MS = 100;
const SETTLE_MS = 300;

/** One load on one target. */
export interface Measurement {
  readonly result: LoadResult;
  /** Of the target's whole process tree. */
  readonly cpuSeconds: number;
  readonly threads: ThreadSeconds;
  /** Of the target's whole process tree. */
  readonly peakRssBytes: number;
  readonly idleRssBytes: number;
  /** Of the database's process tree; 0 without one. */
  readonly databaseSeconds: number;
  /** Processors that provider and readers took together. */
  readonly harness: number;
  /** Processors that went to what has nothing to do with it, the host's other machines among it. */
  readonly strangers: number;
}

/** Processes that take part. */
export interface Parties {
  readonly target: number;
  readonly upstream: number;
  readonly database: number | null;
}

interface Reading {
  readonly target: number;
  readonly threads: ThreadSeconds;
  readonly database: number;
  readonly harness: number;
  readonly strangers: number;
  readonly atMs: number;
}

function read({ target, upstream, database }: Parties, generator: Companion): Reading {
  const processes = readProcesses();
  const of = (pid: number) => cpuSecondsOf(pid, processes);
  return {
    target: of(target),
    threads: threadsOf(target),
    database: database === null ? 0 : of(database),
    harness: of(upstream) + of(generator.pid),
    strangers: strangerSeconds(processes),
    atMs: performance.now(),
  };
}

/** Measures what a target uses while `work` is done by a companion. */
export async function measure(parties: Parties, generator: Companion, work: () => Promise<LoadResult>): Promise<Measurement> {
  await sleep(SETTLE_MS);
  const idleRssBytes = rssOf(familyOf(parties.target));
  const before = read(parties, generator);
  const peak = samplePeak(parties.target);
  const result = await work().finally(peak.stop);
  const after = read(parties, generator);
  const wallSeconds = (after.atMs - before.atMs) / 1000;
  const spent = (kind: keyof ThreadSeconds) => after.threads[kind] - before.threads[kind];
  return {
    result,
    cpuSeconds: after.target - before.target,
    threads: { main: spent('main'), workers: spent('workers'), other: spent('other') },
    peakRssBytes: peak.bytes(),
    idleRssBytes,
    databaseSeconds: after.database - before.database,
    harness: (after.harness - before.harness) / wallSeconds,
    strangers: Math.max(0, (after.strangers - before.strangers) / wallSeconds),
  };
}

/** Puts a load on a target; rejects when a single answer was wrong. */
export async function put(generator: Companion, load: Load): Promise<LoadResult> {
  return unlessWrong(await ask<LoadResult>(generator, load));
}

export function unlessWrong(result: LoadResult): LoadResult {
  const { failures, answers } = result;
  if (failures.length === 0) return result;
  throw new Error(`${failures.length} of ${failures.length + answers} answers were wrong, the first: ${failures[0]}`);
}

function samplePeak(pid: number): { stop(): void; bytes(): number } {
  let peak = 0;
  let family = familyOf(pid);
  let looks = 0;
  const look = () => {
    looks += 1;
    if (looks % 10 === 0) family = familyOf(pid);
    peak = Math.max(peak, rssOf(family));
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
    },
    bytes: () => peak,
  };
}

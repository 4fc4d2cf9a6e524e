import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** A file of a process in /proc; empty when the process is gone. */
function processFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** The parent of a process and whether it still runs, or only waits for somebody to read its end. */
function statusOf(pid: number): { readonly parent: number; readonly runs: boolean } {
  const status = processFile(pid, 'status');
  return { parent: Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? 0), runs: /^State:\s+[^ZX]/m.test(status) };
}

/** Whether a process of Linux runs. */
export function isRunning(pid: number): boolean {
  return statusOf(pid).runs;
}

/** The processes that a process of Linux started and whose command line names this file. */
export function childrenOf(parent: number, file: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && statusOf(pid).parent === parent && isRunning(pid) && processFile(pid, 'cmdline').includes(file));
}

/** Memory that a process holds. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(processFile(pid, 'status'))?.[1] ?? 0) * 1024;
}

/** The environment a process was started with. */
export function environmentOf(pid: number): string {
  return processFile(pid, 'environ');
}

/** Waits for as long as the test's own time limit allows. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(POLL_MS);
}

/** The most memory that a process started from this file was seen to hold until something is settled. */
export async function peakUntil(settled: Promise<unknown>, file: string): Promise<number> {
  let peak = 0;
  let done = false;
  const outcome = settled.finally(() => {
    done = true;
  });
  while (!done) {
    peak = Math.max(peak, ...childrenOf(process.pid, file).map(residentBytes));
    await sleep(POLL_MS);
  }
  await outcome;
  return peak;
}

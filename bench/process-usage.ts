import { readdirSync, readFileSync } from 'node:fs';

// What processes use, as Linux counts it in /proc.

const TICKS_PER_SECOND = 100;

interface Stat {
  readonly parent: number;
  readonly cpuSeconds: number;
}

/** All processes at one moment, by their ids. */
export type Processes = ReadonlyMap<number, Stat>;

/** The text of a file of a process or thread; null when that has ended meanwhile. */
function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null;
    throw error;
  }
}

function listIfThere(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return [];
    throw error;
  }
}

/** The fields of a `stat` file behind the name, which may hold anything. */
const fieldsOf = (stat: string) => stat.slice(stat.lastIndexOf(')') + 2).split(' ');

const seconds = (fields: readonly string[], places: readonly number[]) =>
  places.reduce((sum, at) => sum + Number(fields[at]), 0) / TICKS_PER_SECOND;

/** What every process has used so far. */
export function readProcesses(): Processes {
  const processes = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readIfThere(`/proc/${name}/stat`) : null;
    if (stat === null) continue;
    const fields = fieldsOf(stat);
    processes.set(Number(name), { parent: Number(fields[1]), cpuSeconds: seconds(fields, [11, 12, 13, 14]) });
  }
  return processes;
}

/** A process and its descendants. */
export function familyOf(root: number, processes: Processes = readProcesses()): readonly number[] {
  const descends = (pid: number) => {
    for (let at: number | undefined = pid; at !== undefined && at > 0; at = processes.get(at)?.parent) if (at === root) return true;
    return false;
  };
  return [...processes.keys()].filter(descends);
}

/** Resident memory in bytes, now. */
export function rssOf(pids: readonly number[]): number {
  const status = (pid: number) => readIfThere(`/proc/${pid}/status`) ?? '';
  return pids.reduce((sum, pid) => sum + Number(/^VmRSS:\s+(\d+) kB$/m.exec(status(pid))?.[1] ?? 0) * 1024, 0);
}

/** User and system time of all threads of a process and its descendants, also of those that have ended. */
export function cpuSecondsOf(root: number, processes: Processes = readProcesses()): number {
  return familyOf(root, processes).reduce((sum, pid) => sum + (processes.get(pid)?.cpuSeconds ?? 0), 0);
}

/** CPU seconds of a Node.js process by what its threads do. */
export interface ThreadSeconds {
  /** The event loop that serves. */
  readonly main: number;
  /** Worker threads, of which the embedded store is one. */
  readonly workers: number;
  /** V8's and libuv's: garbage collection, compilation, files, names. */
  readonly other: number;
}

export function threadsOf(pid: number): ThreadSeconds {
  const seen = { main: 0, workers: 0, other: 0 };
  for (const task of listIfThere(`/proc/${pid}/task`)) {
    const stat = readIfThere(`/proc/${pid}/task/${task}/stat`) ?? '';
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const kind = Number(task) === pid ? 'main' : /V8|libuv|SignalInspector|DelayedTask/.test(name) ? 'other' : 'workers';
    seen[kind] += seconds(fieldsOf(stat), [11, 12]);
  }
  return seen;
}

/** CPU seconds so far that have gone to all but this process and its descendants: other processes, and other machines of the same host. */
export function strangerSeconds(processes: Processes = readProcesses()): number {
  const fields = /^cpu\s+(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.trim().split(/\s+/) ?? [];
  let all = Number(fields[7] ?? 0) / TICKS_PER_SECOND;
  for (const { cpuSeconds } of processes.values()) all += cpuSeconds;
  return all - cpuSecondsOf(process.pid, processes);
}

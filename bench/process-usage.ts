import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** What processes have used, as the operating system counts it. */
export interface Usage {
  /** User and system time of all threads, and of children that have ended. */
  readonly cpuSeconds: number;
  /** Resident memory now. */
  readonly rssBytes: number;
}

interface Stat {
  readonly parent: number;
  readonly cpuSeconds: number;
}

function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const time = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    return { parent: Number(fields[1]), cpuSeconds: time / TICKS_PER_SECOND };
  } catch {
    // It ended between the listing and the look.
    return null;
  }
}

function rssOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** A process and everything it has started, Linux only. */
export function usageOf(root: number): Usage {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const stats = new Map(pids.map((pid) => [Number(pid), statOf(Number(pid))]));
  let cpuSeconds = 0;
  let rssBytes = 0;
  for (const [pid, stat] of stats) {
    if (!stat || !descends(pid, root, stats)) continue;
    cpuSeconds += stat.cpuSeconds;
    rssBytes += rssOf(pid);
  }
  return { cpuSeconds, rssBytes };
}

function descends(pid: number, root: number, stats: ReadonlyMap<number, Stat | null>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = stats.get(at)?.parent) if (at === root) return true;
  return false;
}

/** Seconds that all processors of the machine have been busy since it started. */
export function machineBusySeconds(): number {
  const fields = /^cpu\s+(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.trim().split(/\s+/).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** Why nothing can be measured here; null where it can. */
export function cannotMeasure(): string | null {
  return process.platform === 'linux' ? null : `THE BENCH READS /proc, which ${process.platform} does not have: run it on Linux.`;
}

/** Processors, memory, kernel and Node.js in one line. */
export function describeMachine(): string {
  const processors = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${processors.length} x ${processors[0]?.model.trim() ?? 'processor'}, ${memory}, Linux ${release().split('-')[0]}, Node.js ${process.versions.node}`;
}

/** What runs now besides this process, for whoever wonders about a number. */
export function describeLoad(): string {
  return `load average before: ${readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')}`;
}

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

// Who runs on which processor: the target has the first for itself, what asks and answers shares the others.

/** The parts of a measurement. */
export type Part = 'target' | 'upstream' | 'generator' | 'anywhere';

const count = availableParallelism();
const hasTaskset = process.platform === 'linux' && spawnSync('taskset', ['--version']).status === 0;
const places: Readonly<Record<Part, string>> = {
  target: '0',
  upstream: String(Math.min(1, count - 1)),
  generator: String(Math.min(2, count - 1)),
  anywhere: `0-${count - 1}`,
};

/** What makes latencies and throughput of this machine worth less; empty when nothing does. */
export function warnings(): readonly string[] {
  return [
    ...(hasTaskset ? [] : ['THERE IS NO taskset HERE: target and load share all processors, ratios and times scatter more']),
    ...(count > 1 ? [] : ['THERE IS ONE PROCESSOR ONLY: target and load share it, times say little']),
  ];
}

/** A command that runs on the processor of its part, as `spawn` and `fork` want it. */
export function pinned(part: Part, command: readonly [string, ...string[]]): [string, string[]] {
  const [program, ...args] = command;
  return hasTaskset ? ['taskset', ['-c', places[part], program, ...args]] : [program, args];
}

/** Moves this process, which only looks on: away from the target, or to where what it starts may run anywhere. */
export function moveTo(part: 'upstream' | 'anywhere'): void {
  if (hasTaskset) spawnSync('taskset', ['-a', '-p', '-c', places[part], String(process.pid)], { stdio: 'ignore' });
}

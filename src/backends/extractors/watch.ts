import { readFileSync } from 'node:fs';
import type { Clock } from '../../core/ports/clock.ts';

const POLL_MS = 20;

/** What a process may take for one document. */
export interface WorkLimits {
  readonly memoryBytes: number;
  readonly timeMs: number;
}

/** Bytes of memory that a process of Linux holds. `status` and not `statm`, whose unit is a page of unknown size. */
function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
  } catch {
    // The process is gone, or the server has no descriptor free just now: then the process's own guard thread is what holds.
    return 0;
  }
}

/**
 * Calls back once when the process takes more time or, on Linux, memory than it may (elsewhere only its own guard thread measures); the function
 * it returns ends the watch.
 */
export function watchProcess(
  pid: number,
  { clock, limits, onExcess }: { clock: Clock; limits: WorkLimits; onExcess: () => void },
): () => void {
  const stopTime = clock.after(limits.timeMs, exceed);
  const stopMemory =
    process.platform === 'linux'
      ? clock.every(POLL_MS, async () => {
          if (residentBytes(pid) > limits.memoryBytes) exceed();
        })
      : () => {};
  function stop(): void {
    stopTime();
    stopMemory();
  }
  function exceed(): void {
    stop();
    onExcess();
  }
  return stop;
}

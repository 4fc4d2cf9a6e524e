import { workerData } from 'node:worker_threads';

const POLL_MS = 100;

/** What the guard thread of a reading process needs to know. */
export interface GuardData {
  readonly parentPid: number;
  readonly memoryBytes: number;
}

/**
 * Ends its process when the server that watched it is gone or the memory limit is passed: the main thread, deep in a hostile document, would
 * notice neither.
 */
function guard({ parentPid, memoryBytes }: GuardData): void {
  setInterval(() => {
    if (process.ppid !== parentPid || process.memoryUsage.rss() > memoryBytes) process.kill(process.pid, 'SIGKILL');
  }, POLL_MS);
}

guard(workerData as GuardData);

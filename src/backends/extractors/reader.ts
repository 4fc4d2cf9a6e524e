import { setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ExtractionError } from '../../core/ports/extractor.ts';
import { readDocument } from './formats/read-document.ts';
import type { GuardData } from './guard.ts';
import { createPageWriter } from './page-writer.ts';
import type { Job, Report } from './protocol.ts';
import { PING } from './protocol.ts';

/** A third of the server's share of a busy processor: tokens go first, and a common document is still read in time. */
const NICENESS = 5;

/** Whether an engine gave up for want of memory or stack: JavaScript by a RangeError, WebAssembly by a RuntimeError. */
function isExhaustion(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === 'RuntimeError');
}

function failureOf(error: unknown): Report {
  if (error instanceof ExtractionError) return { kind: 'refused', reason: error.reason };
  if (isExhaustion(error)) return { kind: 'refused', reason: 'too_complex' };
  return { kind: 'broken', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function startGuard(memoryBytes: number): void {
  const workerData: GuardData = { parentPid: process.ppid, memoryBytes };
  const file = import.meta.url.endsWith('.ts') ? './guard.ts' : './guard.js';
  new Worker(new URL(file, import.meta.url), { workerData }).unref();
}

/** Serves one job after the other; the server sends the next one only when it has the end of the last. */
function serve(send: (report: Report) => void, memoryBytes: number): void {
  process.on('message', (job: Job | typeof PING) => {
    if (job === PING) {
      send({ kind: 'ready' });
      return;
    }
    const writer = createPageWriter(job.bounds, send);
    readDocument(job, writer)
      .then((pageCount) => {
        const truncated = writer.finish(pageCount);
        // Memory that WebAssembly once took never comes back.
        send({ kind: 'done', pageCount, truncated, reusable: process.memoryUsage.rss() < memoryBytes / 2 });
      })
      .catch((error: unknown) => send(failureOf(error)));
  });
}

function start(): void {
  if (process.send === undefined) throw new Error('This module runs only as a child process of the server.');
  // A signal to the whole group (Ctrl-C, a stop by systemd) is for the server, which ends this process in its own time.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit());
  setPriority(NICENESS);
  const memoryBytes = Number(process.argv[2]);
  const report = (message: Report): void => {
    process.send?.(message);
  };
  startGuard(memoryBytes);
  serve(report, memoryBytes);
  report({ kind: 'ready' });
}

start();

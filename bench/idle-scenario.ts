import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from './contestants.ts';
import type { Idle } from './idle.ts';
import { familyOf, rssOf } from './process-usage.ts';
import type { Bench, Scenario } from './scenario.ts';
import { ask, dismiss, startCompanion, type Target } from './targets.ts';

const CONNECTIONS = 10_000;
/** Opened before, so that what the first ones load and compile is not counted. */
const FIRST = 500;
const SETTLE_MS = 3_000;
/** Files that a process has open besides its connections. */
const OTHER_FILES = 200;

function openFilesAllowed(): number {
  return Number(/^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Number.POSITIVE_INFINITY);
}

/** KiB of resident memory for each of many open, authenticated and subscribed connections; kernel buffers are not counted. */
async function measureIdle(bench: Bench, kind: Idle['kind'], connections: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'polylogue-bench-'));
  const companion = startCompanion('./idle.ts');
  /** So many more on a server; how many there are then. */
  const open = async ({ url, token }: Target, more: Pick<Idle, 'connections' | 'threads'>) =>
    (await ask<{ open: number }>(companion, { place: { url, token }, kind, ...more })).open;
  try {
    // By a server of their own: what their making leaves in memory is nothing that connections need.
    const maker = await startServer(bench, { directory });
    await open(maker, { threads: FIRST + connections, connections: 0 }).finally(maker.stop);
    const target = await startServer(bench, { directory });
    try {
      await open(target, { threads: 0, connections: FIRST });
      await sleep(SETTLE_MS);
      const before = rssOf(familyOf(target.pid));
      await open(target, { threads: 0, connections });
      await sleep(SETTLE_MS);
      const after = rssOf(familyOf(target.pid));
      const left = await open(target, { threads: 0, connections: 0 });
      if (left !== FIRST + connections) throw new Error(`Only ${left} of ${FIRST + connections} idle connections stayed open.`);
      return (after - before) / connections / 1024;
    } finally {
      await target.stop();
    }
  } finally {
    dismiss(companion);
    rmSync(directory, { recursive: true });
  }
}

export const idle: Scenario = {
  name: 'idle',
  what: '10,000 WebSockets, then 10,000 SSE readers, each alone, each authenticated and following a thread of its own',
  async run(bench) {
    const wanted = bench.small ? 1_000 : CONNECTIONS;
    const connections = Math.min(wanted, openFilesAllowed() - FIRST - OTHER_FILES);
    const figures = {
      webSocket: await measureIdle(bench, 'web-socket', connections),
      eventStream: await measureIdle(bench, 'event-stream', connections),
    };
    const fewer = connections < wanted ? [`ONLY ${connections} CONNECTIONS: a process may not open more files here (ulimit -n).`] : [];
    return { rows: [], figures, notes: fewer, strangers: 0 };
  },
};

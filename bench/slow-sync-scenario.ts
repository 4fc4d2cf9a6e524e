import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { changed, direct } from './contestants.ts';
import { openDatabase } from './database.ts';
import type { Bench, Findings, Scenario } from './scenario.ts';
import { compare, loads, rowOf } from './stream-scenarios.ts';

const SLOW = 'fsync of 5 ms';
const FAST = 'as the disk is';

/** Compiles the library that makes syncs slow; null where there is no C compiler. The database's user must be able to read it. */
function compileInto(directory: string): string | null {
  const library = join(directory, 'slow-sync.so');
  const source = fileURLToPath(new URL('./slow-sync.c', import.meta.url));
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'], { stdio: 'ignore' });
  if (status !== 0) return null;
  chmodSync(directory, 0o755);
  return library;
}

async function compareSyncs(bench: Bench, library: string): Promise<Findings> {
  const load = loads.paced(bench.small);
  const env = { LD_PRELOAD: library };
  const slowDatabase = bench.database && (await openDatabase(env));
  const contestants = [
    direct(bench, load),
    changed(bench, load, { name: FAST, env: {} }),
    changed({ ...bench, database: slowDatabase }, load, { name: SLOW, env: slowDatabase ? {} : env }),
  ];
  try {
    return await compare(bench, { contestants, yardstick: FAST }, (rows) => {
      const [slow, fast, floor] = [rowOf(rows, SLOW), rowOf(rows, FAST), rowOf(rows, 'direct')];
      return { firstP50: slow.firstP50, gapP99: slow.gapP99 - floor.gapP99, gapP99AsDiskIs: fast.gapP99 - floor.gapP99 };
    });
  } finally {
    await slowDatabase?.stop();
  }
}

export const slowSync: Scenario = {
  name: 'slow-sync',
  what: 'paced, where every sync to disk takes 5 ms more',
  async run(bench) {
    const directory = mkdtempSync(join(tmpdir(), 'polylogue-slow-sync-'));
    try {
      const library = compileInto(directory);
      if (library !== null) return await compareSyncs(bench, library);
      return { rows: [], figures: {}, notes: ['SKIPPED: there is no C compiler (cc) to make syncs slow with.'], strangers: 0 };
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

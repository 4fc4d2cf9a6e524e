import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from './database.ts';
import { createQuietRepeater } from './rounds.ts';
import { median } from './rows.ts';
import type { Bench, Scenario } from './scenario.ts';
import type { StoreSpeed, StoreWork } from './store-turns.ts';
import { watch } from './strangers.ts';
import { ask, dismiss, startCompanion } from './targets.ts';

/** Measures a new, empty store. */
async function measureStore(bench: Bench, amount: Omit<StoreWork, 'place'>): Promise<StoreSpeed> {
  const database = bench.database && (await openDatabase());
  const dataDir = mkdtempSync(join(tmpdir(), 'polylogue-bench-'));
  const companion = startCompanion('./store-turns.ts', 'target');
  try {
    return await ask<StoreSpeed>(companion, { ...amount, place: database ? { url: database.url } : { dataDir } });
  } finally {
    dismiss(companion);
    rmSync(dataDir, { recursive: true });
    await database?.stop();
  }
}

export const turns: Scenario = {
  name: 'turns',
  what: 'the store alone, calls in a second: turns (alone, 16 at a time), the last 50 messages of a thread, a list of 20 threads',
  async run(bench) {
    const amount = bench.small ? { threads: 50, turnsEach: 5, reads: 500 } : { threads: 100, turnsEach: 26, reads: 3_000 };
    const speeds: StoreSpeed[] = [];
    const quietly = createQuietRepeater(bench);
    let noise = 0;
    for (let round = 1; round <= bench.rounds; round += 1) {
      const { value, strangers } = await quietly(`round ${round}`, () => watch(() => measureStore(bench, amount)));
      speeds.push(value);
      noise = Math.max(noise, strangers);
    }
    const of = (figure: keyof StoreSpeed) => median(speeds.map((speed) => speed[figure]));
    const figures = { turnsAlone: of('turnsAlone'), turnsBySixteen: of('turnsBySixteen'), lastFifty: of('lastFifty'), list: of('list') };
    return { rows: [], figures, notes: [], strangers: noise };
  },
};

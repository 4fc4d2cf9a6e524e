import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { markServerDirectory, removeLeftovers } from './leftover-servers.ts';

test('removes what servers of dead processes left behind, and nothing else', () => {
  const parent = mkdtempSync(join(tmpdir(), 'polylogue-leftovers-'));
  const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
  const make = (name: string, pids: { owner?: number; server?: number }) => {
    const data = join(parent, name, 'data');
    mkdirSync(data, { recursive: true });
    if (pids.owner !== undefined) writeFileSync(join(parent, name, 'started-by.pid'), `${pids.owner}\n`);
    if (pids.server !== undefined) writeFileSync(join(data, 'postmaster.pid'), `${pids.server}\n/somewhere\n`);
  };
  make('polylogue-pg-crashed', { owner: dead, server: dead });
  make('polylogue-pg-stopped', { owner: dead });
  make('polylogue-pg-restarting', { owner: process.pid, server: dead });
  make('polylogue-pg-orphan', { owner: dead, server: process.pid });
  make('polylogue-pg-unmarked', { server: dead });
  make('polylogue-pg-odd', { owner: Number.NaN });
  make('another', { owner: dead });
  make('polylogue-pg-mine', {});
  markServerDirectory(join(parent, 'polylogue-pg-mine'));
  symlinkSync(join(parent, 'another'), join(parent, 'polylogue-pg-link'));
  writeFileSync(join(parent, 'polylogue-pg-file'), '');
  removeLeftovers(parent, process.getuid?.() ?? 0);
  expect(readdirSync(parent).sort()).toEqual([
    'another',
    ...['file', 'link', 'mine', 'odd', 'orphan', 'restarting', 'unmarked'].map((name) => `polylogue-pg-${name}`),
  ]);
  rmSync(parent, { recursive: true });
});

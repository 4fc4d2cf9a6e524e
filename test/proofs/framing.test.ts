import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { native } from '../../src/dialects/native/index.ts';
import { chooseSeed } from '../support/random.ts';
import { runProgram } from '../support/run-program.ts';
import { framedFormats } from './framed-formats.ts';
import { proveFraming } from './framing.ts';

/** Doors that answer with JSON only. */
const WITHOUT_STREAMS = ['user-chat'];

const SEED = chooseSeed();

test('10,000 hostile texts come out of every stream as they entered the log', () => {
  expect(proveFraming({ texts: 10_000, seed: SEED }).units).toBeGreaterThan(500_000);
}, 120_000);

test('who names a store for the long form is told that it touches none', async () => {
  const script = fileURLToPath(new URL('prove-framing.ts', import.meta.url));
  const { code, stdout, stderr } = await runProgram([process.execPath, script, '--store', 'postgres']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('prove:framing takes no --store');
});

test('every front door takes part', async () => {
  const folders = (await readdir(new URL('../../src/dialects/', import.meta.url), { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  const names = folders.map(({ name }) => name).filter((name) => !WITHOUT_STREAMS.includes(name));
  expect(framedFormats.map(({ format }) => format.name).sort()).toEqual(names.sort());
  expect(folders.map(({ name }) => name)).toContain(native.name);
});

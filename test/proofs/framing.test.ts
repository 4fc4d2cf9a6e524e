import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { native } from '../../src/dialects/native/index.ts';
import { framedFormats } from './framed-formats.ts';
import { proveFraming } from './framing.ts';

const SEED = 7;

test('10,000 hostile texts come out of every stream as they entered the log', () => {
  expect(proveFraming({ texts: 10_000, seed: SEED }).units).toBeGreaterThan(500_000);
}, 120_000);

test('every front door takes part', async () => {
  const folders = (await readdir(new URL('../../src/dialects/', import.meta.url), { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  expect(framedFormats.map(({ format }) => format.name).sort()).toEqual(folders.map(({ name }) => name).sort());
  expect(folders.map(({ name }) => name)).toContain(native.name);
});

import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 } from 'uuid';
import { expect, test } from 'vitest';
import { blobContract } from '../../../../test/contracts/blobs.ts';
import type { ContentId } from '../../../core/ids.ts';
import { openFileBlobs } from './index.ts';

const never = new AbortController().signal;

async function openPlace() {
  const parent = await mkdtemp(join(tmpdir(), 'polylogue-blobs-'));
  const folder = join(parent, 'files');
  return { folder, blobs: openFileBlobs(folder), remove: () => rm(parent, { recursive: true }) };
}

blobContract('files', openPlace);

test('makes its folders with the first file, readable for this user only, and spreads files over many', async () => {
  const { folder, blobs, remove } = await openPlace();
  await blobs.removeLeftovers();
  await expect(stat(folder)).rejects.toThrow('ENOENT');
  const ids = Array.from({ length: 20 }, () => v7() as ContentId);
  async function* text(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('text');
  }
  for (const id of ids) await blobs.keep(id, await blobs.receive(text(), never));
  expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  const folders = (await readdir(folder)).filter((name) => name !== 'incoming');
  expect(folders.length).toBeGreaterThan(5);
  for (const name of [folder, ...folders.map((fan) => join(folder, fan))]) expect((await stat(name)).mode & 0o777).toBe(0o700);
  for (const id of ids) expect((await stat(join(folder, id.slice(-2), id))).mode & 0o777).toBe(0o600);
  await remove();
});

test('takes no id that could lead elsewhere', async () => {
  const { blobs, remove } = await openPlace();
  for (const id of ['../../etc/passwd', '/etc/passwd', '', '..']) await expect(blobs.open(id as ContentId)).rejects.toThrow('UUID');
  await remove();
});

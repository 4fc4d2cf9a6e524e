import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 } from 'uuid';
import { expect, test } from 'vitest';
import { blobContract, bytesOf } from '../../../../test/contracts/blobs.ts';
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

test('takes nothing where conversations would have no room left, and still gives and removes what it has', async () => {
  const { folder, blobs, remove } = await openPlace();
  async function* text(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('text');
  }
  const [kept, other] = [v7() as ContentId, v7() as ContentId];
  await blobs.keep(kept, await blobs.receive(text(), never));
  const coming = await blobs.receive(text(), never);
  const full = openFileBlobs(folder, Number.MAX_SAFE_INTEGER);
  await expect(full.receive(text(), never)).rejects.toMatchObject({ code: 'overloaded' });
  await expect(full.keep(other, coming)).rejects.toMatchObject({ code: 'overloaded' });
  await coming.discard();
  expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  expect(String(await bytesOf(await full.open(kept)))).toBe('text');
  expect(await full.open(other)).toBeNull();
  await full.remove(kept);
  expect(await full.open(kept)).toBeNull();
  await remove();
});

test('takes no id that could lead elsewhere', async () => {
  const { blobs, remove } = await openPlace();
  for (const id of ['../../etc/passwd', '/etc/passwd', '', '..']) await expect(blobs.open(id as ContentId)).rejects.toThrow('UUID');
  await remove();
});

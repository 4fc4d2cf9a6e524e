import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blobContract, bytesOf } from '../../../../test/contracts/blobs.ts';
import { createTestDatabase, findTestServer } from '../../../../test/support/test-database.ts';
import type { ContentId } from '../../../core/ids.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { openPostgresStore } from '../../stores/postgres/index.ts';
import { openPostgresBlobs } from './index.ts';

const server = await findTestServer();
const silent = { info: () => undefined, warn: () => undefined };
const onFault = () => undefined;

describe.skipIf(server === null)('on a real server', () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  beforeAll(async () => {
    database = await createTestDatabase(server ?? '');
    await (await openPostgresStore({ url: database.url, log: silent })).close();
  });
  afterAll(() => database.drop());

  async function openPlace() {
    const incoming = await mkdtemp(join(tmpdir(), 'polylogue-incoming-'));
    const blobs = openPostgresBlobs({ url: database.url, incoming, clock: systemClock, onFault });
    return { blobs, remove: () => blobs.close().then(() => rm(incoming, { recursive: true })) };
  }
  blobContract('postgres', openPlace);

  test('what one server keeps, another one has', async () => {
    const [one, other] = [await openPlace(), await openPlace()];
    const id = '01900000-0000-7000-8000-000000000001' as ContentId;
    async function* text(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('shared');
    }
    await one.blobs.keep(id, await one.blobs.receive(text(), new AbortController().signal));
    expect(String(await bytesOf(await other.blobs.open(id)))).toBe('shared');
    await Promise.all([one.remove(), other.remove()]);
  });

  test('while the database cannot be reached, says that it is overloaded', async () => {
    const blobs = openPostgresBlobs({ url: 'postgresql://127.0.0.1:1/none', incoming: tmpdir(), clock: systemClock, onFault });
    await expect(blobs.open('01900000-0000-7000-8000-000000000002' as ContentId)).rejects.toMatchObject({ code: 'overloaded' });
    await blobs.close();
  });
});

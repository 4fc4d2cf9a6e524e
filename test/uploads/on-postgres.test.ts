import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { file, formOf, HELLO } from '../support/forms.ts';
import { createTestDatabase, findTestServer, queryDatabase } from '../support/test-database.ts';

const server = await findTestServer();

describe.skipIf(server === null)('on PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let apps: readonly TestApp[];
  beforeAll(async () => {
    database = await createTestDatabase(server ?? '');
    apps = [await startTestApp({ databaseUrl: database.url }), await startTestApp({ databaseUrl: database.url })];
  });
  afterAll(async () => {
    for (const app of apps) await app.close();
    await database.drop();
  });

  const rowsLeft = async () => {
    const tables = ['attachments', 'contents', 'passages', 'content_chunks', 'stray_contents'];
    const counts = tables.map((table) => queryDatabase(database.url, `select count(*)::int as rows from polylogue.${table}`));
    return (await Promise.all(counts)).map(([row]) => row?.rows);
  };

  test('what is uploaded to one server is read, answered from and deleted on another', async () => {
    const [one, other] = apps as [TestApp, TestApp];
    const { id: thread } = (await (await one.post('/polylogue/v1/threads', {})).json()) as { id: string };
    const path = `/polylogue/v1/threads/${thread}/files`;
    const large = Buffer.concat([HELLO, Buffer.alloc(3_000_000, '\n')]);
    const added = await one.send(path, { method: 'POST', body: formOf(file(large, 'hello.pdf')) });
    const { id } = (await added.json()) as { id: string };
    const download = await other.send(`/polylogue/v1/files/${id}/content`);
    expect(Buffer.from(await download.arrayBuffer()).equals(large)).toBe(true);
    const run = await other.post(`/polylogue/v1/threads/${thread}/runs`, { text: 'Page two?', model: 'demo' }, { prefer: 'respond-sync' });
    expect(JSON.stringify(await run.json())).toContain('And from page two [hello.pdf, p. 2]');
    expect((await rowsLeft()).slice(0, 4)).toEqual([1, 1, 2, 12]);
    expect((await other.send(`/polylogue/v1/threads/${thread}`, { method: 'DELETE' })).status).toBe(204);
    expect(await rowsLeft()).toEqual([0, 0, 0, 0, 0]);
    expect((await one.send(`/polylogue/v1/files/${id}/content`)).status).toBe(404);
  });
});

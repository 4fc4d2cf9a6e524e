import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../src/backends/clock/system-clock.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';
import { createTestDatabase, findTestServer } from './support/test-database.ts';

const postgres = await findTestServer();
const SECRET = 'b7f04c9d2e6a4815a3c0d9f17e5b8264';
/** A lease of 10 s, a look every 2 s, and margin. */
const TAKEOVER_MS = 15_000;

/** The answer's text in whole events of a native stream. */
function textIn(stream: string): string {
  const events = [...stream.matchAll(/^event: text\.appended\ndata: (.*)$/gm)];
  return events.map(([, data]) => JSON.parse(data ?? '').text).join('');
}

describe.skipIf(postgres === null)('two servers on one PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let directory: Awaited<ReturnType<typeof createServerDirectory>>;
  let dying: ServerProcess;
  let living: ServerProcess;

  beforeAll(async () => {
    database = await createTestDatabase(postgres ?? '');
    directory = await createServerDirectory({ demo: { tokenDelayMs: 20 } });
    const start = () => startServerProcess({ directory: directory.directory, env: { DATABASE_URL: database.url, JWT_SECRET_KEY: SECRET } });
    [dying, living] = await Promise.all([start(), start()]);
  });
  afterAll(async () => {
    await Promise.all([dying.stop('SIGKILL'), living.stop()]);
    await database.drop();
    await directory.remove();
  });

  test('when one is killed, its readers at the other get the text so far and the end, and what waited is answered', async () => {
    const thread = JSON.parse(await (await dying.post('/polylogue/v1/threads', {})).text()).id;
    const ask = async (text: string) => JSON.parse(await (await dying.post(`/polylogue/v1/threads/${thread}/runs`, { text })).text());
    const first = await ask('/long 20000');
    const second = await ask('And then?');
    const [seenThere, seenHere] = [dying, living].map(async (server) => {
      const response = await server.send(`/polylogue/v1/runs/${first.id}/events`);
      let text = '';
      const decoder = new TextDecoder();
      try {
        for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
      } catch {
        // The killed server's own reader is cut off in the middle.
      }
      return text.slice(0, text.lastIndexOf('\n\n') + 2);
    });
    await systemClock.sleep(1_500);
    const killedAt = performance.now();
    await dying.stop('SIGKILL');
    const [there, here] = [(await seenThere) ?? '', (await seenHere) ?? ''];
    expect(performance.now() - killedAt).toBeLessThan(TAKEOVER_MS);
    expect(here).toMatch(/event: run\.failed\ndata: .*"code":"interrupted".*\n\n$/);
    expect(textIn(there).length).toBeGreaterThan(100);
    expect(textIn(here).startsWith(textIn(there))).toBe(true);
    const events = await (await living.send(`/polylogue/v1/runs/${second.id}/events`)).text();
    expect(events).toMatch(/event: run\.completed\n/);
  }, 60_000);
});

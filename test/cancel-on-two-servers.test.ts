import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { openChatSocket } from './support/chat-socket.ts';
import { createTestDatabase, findTestServer } from './support/test-database.ts';
import { answer, type Step, startUpstream, type Upstream } from './support/upstream.ts';

const postgres = await findTestServer();

describe.skipIf(postgres === null)('a run that is cancelled at two servers at once', () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let upstream: Upstream;
  let executing: TestApp;
  let other: TestApp;
  const script: Step[] = [];

  beforeAll(async () => {
    database = await createTestDatabase(postgres ?? '');
    upstream = await startUpstream(script);
    const env = { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k' };
    const start = () => startTestApp({ env, file: { models: { 'gpt-4': { provider: 'openai' } } }, databaseUrl: database.url });
    [executing, other] = [await start(), await start()];
  });
  afterAll(async () => {
    await Promise.all([executing.close(), other.close()]);
    await upstream.close();
    await database.drop();
  });

  test.each([1, 2, 3])('ends for every reader at the server that executes it (%d)', async () => {
    script.splice(0, script.length, ...answer(['Endless']).slice(0, 2), { hang: true });
    const headers = { authorization: `Bearer ${await executing.token('ann')}` };
    const chat = await openChatSocket(executing.url, `?token=${await executing.token('ann')}`);
    const thread_id = randomUUID();
    chat.send({ type: 'message', thread_id, content: 'Never stop' });
    const { job_id } = await chat.next('message_received');
    await chat.next('token');
    const native = executing.send(`/polylogue/v1/runs/${job_id}/events`, { headers }).then((response) => response.text());
    const levia = executing.send(`/levia/chat/stream/${job_id}`, { headers }).then((response) => response.text());
    const cancelAt = async (app: TestApp) => (await app.send(`/polylogue/v1/runs/${job_id}/cancel`, { method: 'POST', headers })).status;
    expect(await Promise.all([cancelAt(executing), cancelAt(other)])).toEqual([200, 200]);
    expect((await native).match(/event: run\.(cancelled|completed|failed)\n/g)).toEqual(['event: run.cancelled\n']);
    expect((await levia).match(/"type":"(error|complete)"/g)).toEqual(['"type":"error"']);
    expect(await chat.next('message')).toMatchObject({ content: 'Endless', status: 'cancelled' });
    script.splice(0, script.length, ...answer(['And on']));
    chat.send({ type: 'message', thread_id, content: 'Next' });
    expect(await chat.next('message')).toMatchObject({ content: 'And on' });
    await chat.close();
  });
});

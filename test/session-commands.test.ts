import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { canImport, PYTHON } from './support/requirements.ts';
import { runToSuccess } from './support/run-program.ts';

const CLIENT = fileURLToPath(new URL('./clients/sessions-client.py', import.meta.url));

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

/** Runs commands as a user, each with its `URL` filled in, and gives what it prints. */
async function shellOf(user: string) {
  const token = await app.token(user);
  return async (command: string): Promise<string> => {
    const filled = `curl -sSf ${command.replaceAll('URL', `${app.url}/v1/chat`)} -H "Authorization: Bearer ${token}"`;
    return (await runToSuccess(['sh', '-c', filled])).stdout;
  };
}

const json = (body: object) => `-H "Content-Type: application/json" -d '${JSON.stringify(body)}'`;
const story = { model: 'gpt-4', messages: [{ role: 'user', content: 'Tell me a story' }], temperature: 0.7 };

/** The answer in a stream as whoever strips its lines reads it. */
function answerIn(stream: string): string {
  const lines = stream.split('\n').filter((line) => line.startsWith('data: '));
  const texts = lines.map((line) => line.slice(6).trim());
  expect([texts.indexOf('[DONE]'), stream.endsWith('data: [DONE]\n\n')]).toEqual([texts.length - 1, true]);
  return texts.slice(0, -1).join('');
}

test('the documented commands begin a session, go on in it, switch its model, show the history and delete it', async () => {
  const curl = await shellOf('ann');
  expect(answerIn(await curl(`-X POST URL/stream ${json(story)}`))).toContain('This is message 1 of our conversation');
  const listed = JSON.parse(await curl('-X GET "URL/history?page=1&page_size=10"'));
  expect(listed).toMatchObject({ total: 1, page: 1, page_size: 10, sessions: [{ model: 'gpt-4', title: 'Tell me a story' }] });
  const [{ id, messages }] = listed.sessions;
  expect(messages.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant']);

  const more = { ...story, messages: [{ role: 'user', content: 'Another one' }], session_id: id };
  expect(answerIn(await curl(`-X POST URL/stream ${json(more)}`))).toContain('This is message 2 of our conversation');
  const switched = JSON.parse(await curl(`-X POST URL/switch-model ${json({ session_id: id, model: 'gpt-3.5-turbo' })}`));
  expect(switched).toMatchObject({ session_id: id, model: 'gpt-3.5-turbo', title: 'Tell me a story' });
  expect(switched.messages).toHaveLength(4);

  const filtered = async (model: string) => JSON.parse(await curl(`-X GET "URL/history?model=${model}&start_date=2024-01-01T00:00:00Z"`));
  expect((await filtered('gpt-3.5-turbo')).sessions).toMatchObject([{ id, model: 'gpt-3.5-turbo' }]);
  expect(await filtered('gpt-4')).toMatchObject({ total: 0, sessions: [] });
  expect(JSON.parse(await curl(`-X DELETE "URL/sessions/${id}"`))).toEqual({ message: 'Session deleted successfully' });
  expect(JSON.parse(await curl('-X GET "URL/history"'))).toMatchObject({ total: 0, sessions: [] });
});

test.skipIf(!canImport('aiohttp'))('aiohttp switches a model, and asks for the last week by a time without a zone', async () => {
  const user = 'bob';
  const token = await app.token(user);
  const curl = await shellOf(user);
  await curl(`-X POST URL/stream ${json(story)}`);
  const [{ id }] = JSON.parse(await curl('URL/history')).sessions;
  const { stdout } = await runToSuccess([PYTHON, CLIENT, app.url, token, String(id), 'gpt-3.5-turbo']);
  const [switched, history] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(switched).toMatchObject({ session_id: id, model: 'gpt-3.5-turbo', title: 'Tell me a story' });
  expect(history).toMatchObject({ total: 1, page: 1, page_size: 10, sessions: [{ id, messages: switched.messages }] });
});

import { isChatCompletionBody, type JournalEntry, LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../src/backends/clock/system-clock.ts';
import { mintToken } from '../src/backends/tokens/jwt.ts';
import { type Account, askLevia, type ChatClient, chatClients } from './support/chat-clients.ts';
import { canImport } from './support/requirements.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';
import { answer, startUpstream } from './support/upstream.ts';

const SECRET = '9e41c07d5ab2f8634c1de09b77a3f5e2';

const python = { requests: canImport('requests'), aiohttp: canImport('aiohttp') };
const canRun = (client: ChatClient) => (client.python ?? []).every((name) => python[name as keyof typeof python]);
const runnable = chatClients.filter(canRun);
for (const { name } of chatClients.filter((client) => !canRun(client))) test.skip(name, () => undefined);

let remove: () => Promise<void>;
let server: ServerProcess;

async function serve(env: Record<string, string> = {}, settings: object = {}): Promise<void> {
  const place = await createServerDirectory(settings);
  remove = place.remove;
  server = await startServerProcess({ directory: place.directory, env: { JWT_SECRET_KEY: SECRET, ...env } });
}

async function stop(): Promise<void> {
  const code = await server.stop();
  await remove();
  expect(code).toBe(0);
}

async function accountOf(user: string): Promise<Account> {
  return { url: server.url, user, token: await mintToken({ secret: SECRET, userId: user, expiresInSeconds: 600, clock: systemClock }) };
}

/** What a client shows of a text. */
function shownBy(client: ChatClient, text: string): string {
  if (!client.dropsLineBreaks) return text;
  return text
    .split('\n')
    .map((line) => (client.dropsLineBreaks === 'alone' ? line : line.trim()))
    .join('');
}

describe('with the demo model', () => {
  beforeAll(() => serve());
  afterAll(stop);

  const demoText = (turn: number, question: string) =>
    [
      `I am Polylogue's built-in demo model, not a language model. This is message ${turn} of our conversation, and you wrote:`,
      `> ${question}`,
      'For real answers, set OPENAI_API_KEY, ANTHROPIC_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY, or OPENAI_BASE_URL for another provider, and start the server again.',
    ].join('\n\n');

  test.each(runnable)('$name holds a conversation', async (client) => {
    const questions = ['Wo liegt Lissabon?', '東京の天気は? 🌦️', 'And "quotes" \\ too'];
    const expected = questions.map((question, index) => shownBy(client, demoText(index + 1, question)));
    expect(await client.converse(await accountOf(`demo, ${client.name}`), questions)).toEqual(expected);
  });

  test.runIf(python.requests)('levia tells of a request while it is being answered, and not before or afterwards', async () => {
    const reports = await askLevia(await accountOf('watcher'), ['One', 'Two']);
    for (const { request_id, active_before, active_during, active_after } of reports) {
      expect({ active_before, active_during, active_after }).toEqual({
        active_before: null,
        active_during: request_id,
        active_after: null,
      });
    }
  });
});

/** Question and answer of each turn; no question is part of another. */
const script: readonly (readonly [string, string])[] = [
  ['first question', '  Grüße aus 東京 👩‍👩‍👧‍👦! "quoted" \\u0041 \\n \n\nwith a blank line, and spaces behind  '],
  ['second question', 'Some code:\n\n```python\ndef f(x):\n    return x  # 日本語\n\n\nprint(f(1))\n```\n\n- one\n- two'],
  ['third question', '[DONE]'],
  ['fourth question', 'The end mark is\n[DONE]\ndata: [DONE]\nevent: error\n\nid: 7\n: comment\ndata:\nand text goes on'],
  ['fifth question', `${'漢字かな交じり文と絵文字😀🎉を続ける。'.repeat(150)}x`],
  ['sixth question', '1 2 3 4'],
];

/** The conversation as the model got it. */
function messagesIn({ body }: JournalEntry): readonly { role: string; content: unknown }[] {
  if (!isChatCompletionBody(body)) throw new Error('This is no chat request.');
  return body.messages.map(({ role, content }) => ({ role, content }));
}

describe('with an OpenAI-compatible server that is not ours', () => {
  let model: LLMock;

  beforeAll(async () => {
    model = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 5 });
    for (const [question, content] of script) model.onMessage(question, { content });
    await model.start();
    await serve({ OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: 'any' });
  });
  afterAll(async () => {
    await stop();
    await model.stop();
  });
  afterEach(() => model.clearRequests());

  const questions = script.map(([question]) => question);
  const chatRequests = () => model.getRequests().filter(({ path }) => path.endsWith('/chat/completions'));

  test.each(runnable)('$name shows exactly the text, and the model sees the earlier turns once and in order', async (client) => {
    const shown = await client.converse(await accountOf(`exact, ${client.name}`), questions);
    expect(shown).toEqual(script.map(([, text]) => shownBy(client, text)));
    const turns = script.map(([question, text]) => [
      { role: 'user', content: question },
      { role: 'assistant', content: text },
    ]);
    const expected = script.map(([question], index) => [...turns.slice(0, index).flat(), { role: 'user', content: question }]);
    expect(chatRequests().map(messagesIn)).toEqual(expected);
  });

  test.each(runnable.filter(({ name }) => name.startsWith('levia')))(
    "$name: a second session knows the last three turns of its user, another user's none",
    async (client) => {
      await client.converse(await accountOf(`ann, ${client.name}`), questions.slice(0, 4));
      model.clearRequests();
      await client.converse(await accountOf(`ann, ${client.name}`), ['sixth question']);
      await client.converse(await accountOf(`bob, ${client.name}`), ['sixth question']);
      const carried = script.slice(1, 4).flatMap(([question, content]) => [
        { role: 'user', content: question },
        { role: 'assistant', content },
      ]);
      const asked = { role: 'user', content: 'sixth question' };
      expect(chatRequests().map(messagesIn)).toEqual([[...carried, asked], [asked]]);
    },
  );

  test('a thread that one door began goes on through the others', async () => {
    const { token } = await accountOf('wanderer');
    const began = await server.post(
      '/v1/chat/stream',
      { model: 'gpt-4', messages: [{ role: 'user', content: 'first question' }] },
      { authorization: `Bearer ${token}` },
    );
    await began.text();
    const threadId = began.headers.get('x-thread-id');
    const named = { 'x-user-id': 'wanderer', prefer: 'respond-sync' };
    await server.post(`/polylogue/v1/threads/${threadId}/runs`, { text: 'second question' }, named);
    const sent = await server.post('/levia/chat', { user_id: 'wanderer', session_id: threadId, intent: 'third question' });
    const { request_id } = JSON.parse(await sent.text());
    expect(await (await server.send(`/levia/chat/stream/${request_id}`)).text()).toContain('"reply":"[DONE]"');
    const asked = chatRequests().map((entry) => messagesIn(entry).map(({ content }) => content));
    expect(asked.at(-1)).toEqual([...script.slice(0, 2).flat(), 'third question']);
    const other = { thread_id: threadId, user_id: 'wanderer', message: 'fourth question' };
    expect(JSON.parse(await (await server.post('/api/v1/graph/invoke', other)).text()).response).toBe(script[3]?.[1]);
    const said = { conversation_id: threadId, message: { content: 'sixth question' } };
    expect(JSON.parse(await (await server.post('/api/wanderer/chat', said)).text()).message.content).toBe('1 2 3 4');
    expect(
      JSON.parse(await (await server.send('/v1/chat/history', { headers: { authorization: `Bearer ${token}` } })).text()),
    ).toMatchObject({
      total: 1,
      sessions: [{ thread_id: threadId, message_count: 10 }],
    });
  });
});

describe('with a model that never ends', () => {
  test('cancelling a run closes the request to the model', async () => {
    const upstream = await startUpstream([...answer(['Once ', 'upon ']).slice(0, 3), { hang: true }]);
    await serve({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'any' });
    try {
      const thread = JSON.parse(await (await server.post('/polylogue/v1/threads', {})).text());
      const run = JSON.parse(await (await server.post(`/polylogue/v1/threads/${thread.id}/runs`, { text: 'Hi' })).text());
      const reader = await server.send(`/polylogue/v1/runs/${run.id}/events`);
      const rest = reader.text();
      const chat = await untilAsked();
      expect((await server.post(`/polylogue/v1/runs/${run.id}/cancel`, {})).status).toBe(200);
      await chat.closedEarly;
      expect(await rest).toMatch(/event: run\.cancelled\ndata: [^\n]+\n\n$/);
    } finally {
      await stop();
      await upstream.close();
    }

    async function untilAsked() {
      for (;;) {
        const chat = upstream.requests.find(({ path }) => path.endsWith('/chat/completions'));
        if (chat) return chat;
        await systemClock.sleep(10);
      }
    }
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { doors } from '../src/app.ts';
import { eventsOf, nativeTextOf } from './support/chat-clients.ts';
import { runProgram } from './support/run-program.ts';
import { bareEnvironment, createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';

const VOID_ELEMENTS = ['meta', 'br'];

let server: ServerProcess;
let page: string;
let headers: Headers;
let remove: () => Promise<void>;

beforeAll(async () => {
  const place = await createServerDirectory();
  remove = place.remove;
  server = await startServerProcess({ directory: place.directory });
  const response = await fetch(`${server.url}/`);
  ({ headers } = response);
  page = await response.text();
});
afterAll(async () => {
  await server.stop();
  await remove();
});

function commands(): readonly string[] {
  const blocks = [...page.matchAll(/<pre[^>]*><code>(.*?)<\/code><\/pre>/gs)].map(([, text]) => text ?? '');
  return blocks.map((text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'));
}

test('every element is closed, and every reserved character escaped', () => {
  const open: string[] = [];
  const markup = page.replace(/^<!doctype html>\n/, '');
  for (const [, slash, name = ''] of markup.matchAll(/<(\/?)([a-z0-9]+)(?:\s[a-z-]+="[^"<>]*")*>/g)) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (!VOID_ELEMENTS.includes(name)) open.push(name);
  }
  expect(open).toEqual([]);
  const text = markup.replace(/<style>.*?<\/style>/s, '').replace(/<\/?[a-z0-9]+(?:\s[a-z-]+="[^"<>]*")*>/g, '');
  expect(text).not.toMatch(/[<>]|&(?!(?:lt|gt|quot|amp);)/);
});

test('it links to the descriptions of the API, and they are there', async () => {
  const links = [...page.matchAll(/<a href="([^"]*)">/g)].map(([, path]) => path ?? '');
  expect(links).toEqual(['/docs', '/openapi.json', '/openapi-3.0.json', '/asyncapi.json']);
  const answers = await Promise.all(links.map((path) => fetch(server.url + path)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

test('it loads nothing and runs nothing', () => {
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
  );
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|\bhref="(?!\/)|\bon[a-z]+=|@import|url\(/i);
});

test('it says that the demo model answers', () => {
  expect(page).toMatch(/demo model.*OPENAI_API_KEY.*ANTHROPIC_API_KEY.*GOOGLE_GENERATIVE_AI_API_KEY.*OPENAI_BASE_URL/s);
});

test('the command of each door prints an answer as it stands', async () => {
  const examples = doors.filter(({ example }) => example !== undefined);
  const printed = await Promise.all(commands().map((command) => runProgram(['bash', '-c', command], { env: bareEnvironment() })));
  expect(printed.map(({ code, stderr }) => ({ code, stderr }))).toEqual(examples.map(() => ({ code: 0, stderr: '' })));
  const shown = examples.map(({ name }, index) => [name, printed[index]?.stdout ?? '']);
  const { native, levia, 'chat-sessions': chatSessions, graph, 'user-chat': userChat } = Object.fromEntries(shown);
  const told = eventsOf(native ?? '').map(({ event }) => event);
  expect(told.filter((event) => event === 'text.appended').length).toBeGreaterThan(1);
  expect({ text: nativeTextOf(native ?? ''), end: told.at(-1) }).toEqual({
    text: expect.stringContaining('> Hello'),
    end: 'run.completed',
  });
  expect(levia).toMatch(/"type":"complete","data":\{"reply":"[^"]*> Hello/);
  expect(chatSessions).toMatch(/data: \[DONE\]\n\n$/);
  expect(graph).toMatch(/event: node\ndata: supervisor\n\n.*event: done\ndata: \[DONE\]\n\n$/s);
  expect(JSON.parse(userChat)).toMatchObject({ success: true, message: { content: expect.stringContaining('> Hello') } });
});

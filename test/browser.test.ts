import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { findBrowser, openBrowser } from './support/browser.ts';
import { type PageServer, startPageServer } from './support/page-server.ts';
import { answer, refuse, type Step, startUpstream, type Upstream } from './support/upstream.ts';

const executable = findBrowser();

const eventually = <Value>(read: () => Promise<Value>) => expect.poll(read, { timeout: 15_000 });

const ANSWER = 'Grüße aus 東京 👩‍👩‍👧‍👦\n\n<b>not bold</b> & "quoted"';

describe.skipIf(executable === null)('in Chromium', () => {
  const steps: Step[] = [];
  const script = (next: readonly Step[]) => void steps.splice(0, steps.length, ...next);
  let browser: Browser;
  let upstream: Upstream;
  let pages: PageServer;
  /** Behind the page server's `/api`. */
  let proxied: TestApp;
  /** In production, for pages of the page server's one origin. */
  let allowing: TestApp;
  let page: Page;

  beforeAll(async () => {
    browser = await openBrowser(executable ?? '');
    upstream = await startUpstream(steps);
    const file = { models: { 'gpt-4': { provider: 'openai' } } };
    const env = { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k' };
    proxied = await startTestApp({ env, file });
    pages = await startPageServer(proxied.url);
    allowing = await startTestApp({ env: { ...env, NODE_ENV: 'production', ALLOWED_ORIGINS: pages.url }, file });
  });
  afterAll(async () => {
    await browser.close();
    await pages.close();
    await Promise.all([proxied.close(), allowing.close()]);
    await upstream.close();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    script(answer(['Grüße aus 東京 👩‍👩‍👧‍👦\n', '\n<b>not bold</b> & "quoted"']));
  });
  afterEach(() => page.close());

  const open = (origin: string, path: string, query: Readonly<Record<string, string>>) =>
    page.goto(`${origin}/${path}?${new URLSearchParams(query)}`);
  const messages = async () => {
    const shown = await page.locator('.message').all();
    return Promise.all(shown.map(async (one) => [await one.getAttribute('class'), await one.textContent()]));
  };
  const alert = () => page.getByRole('alert').textContent();
  const ask = async (question: string) => {
    await page.getByLabel('Question').pressSequentially(question);
    await page.getByRole('button', { name: 'Send' }).click();
  };
  const socketOf = ({ url }: TestApp) => url.replace(/^http/, 'ws');

  describe('the page of chat-ws', () => {
    test('shows a greeting, a conversation, and all of it again when it is loaded again', async () => {
      const thread = randomUUID();
      await open(pages.url, 'chat-ws.html', { socket: socketOf(allowing), token: await allowing.token('eve'), thread });
      await eventually(messages).toEqual([['message assistant', expect.stringMatching(/./)]]);
      await ask('First? 🦜');
      const first = [
        ['message user', 'First? 🦜'],
        ['message assistant', ANSWER],
      ];
      await eventually(async () => (await messages()).slice(1)).toEqual(first);
      script(answer(['Another']));
      await ask('Second?');
      const both = [...first, ['message user', 'Second?'], ['message assistant', 'Another']];
      await eventually(async () => (await messages()).slice(1)).toEqual(both);
      await page.reload();
      await eventually(messages).toEqual(both);
      expect(await alert()).toBe('');
    });

    test("shows a failing model's words", async () => {
      script(refuse(400, 'That is too much'));
      await open(pages.url, 'chat-ws.html', { socket: socketOf(allowing), token: await allowing.token('eve'), thread: randomUUID() });
      await eventually(messages).toHaveLength(1);
      await ask('Fail');
      await eventually(alert).toMatch(/./);
      expect(await page.locator('#state').textContent()).toBe('open');
    });

    test('shows why it is not let in with a wrong token', async () => {
      await open(pages.url, 'chat-ws.html', { socket: socketOf(allowing), token: 'wrong', thread: randomUUID() });
      await eventually(() => page.locator('#state').textContent()).toBe('closed 1008');
      expect(await alert()).toMatch(/./);
      expect(await messages()).toEqual([]);
    });

    test('does not get in from another origin', async () => {
      const query = { socket: socketOf(allowing), token: await allowing.token('eve'), thread: randomUUID() };
      await open(pages.otherUrl, 'chat-ws.html', query);
      await eventually(() => page.locator('#state').textContent()).toBe('died');
      expect(await messages()).toEqual([]);
    });
  });

  const places = [
    ["through its own server's proxy", () => ({ app: proxied, api: {} })],
    ['from an allowed origin', () => ({ app: allowing, api: { api: allowing.url } })],
  ] as const;

  describe.each(places)('the React component of user-chat, %s', (_name, place) => {
    const openChat = async (given: Readonly<Record<string, string>> = {}) => {
      const { app, api } = place();
      await open(pages.url, 'user-chat.html', { ...api, user: 'finn', token: await app.token('finn'), ...given });
    };

    test('shows an answer to what was typed and clicked, and to what was entered', async () => {
      await openChat();
      await ask('Hello, how can you help me? 🦜');
      const first = [
        ['message user', 'Hello, how can you help me? 🦜'],
        ['message assistant', ANSWER],
      ];
      await eventually(messages).toEqual(first);
      script(answer(['Another']));
      await page.getByLabel('Question').fill('And now?');
      await page.getByLabel('Question').press('Enter');
      await eventually(messages).toEqual([...first, ['message user', 'And now?'], ['message assistant', 'Another']]);
      expect(await alert()).toBe('');
    });

    test.each([
      ['of a wrong token', { token: 'wrong' }, 'Invalid token'],
      ['of another user', { user: 'greta' }, 'Unauthorized'],
    ])('shows the error %s', async (_name, given, words) => {
      await openChat(given);
      await ask('Hello');
      await eventually(alert).toBe(words);
      expect(await messages()).toEqual([['message user', 'Hello']]);
    });

    test('shows the error of a failing model', async () => {
      script(refuse(400, 'That is too much'));
      await openChat();
      await ask('Hello');
      await eventually(alert).toMatch(/^(?!Network error)./);
    });
  });

  test('the React component of user-chat gets nothing from another origin', async () => {
    const asked = upstream.requests.length;
    await open(pages.otherUrl, 'user-chat.html', { api: allowing.url, user: 'finn', token: await allowing.token('finn') });
    await ask('Hello');
    await eventually(alert).toMatch(/^Network error: /);
    expect(upstream.requests).toHaveLength(asked);
  });
});

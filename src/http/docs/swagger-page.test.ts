import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operationsOf } from '../../../test/support/api-description.ts';
import { startTestApp, type TestApp } from '../../../test/support/app.ts';
import { findBrowser, openBrowser } from '../../../test/support/browser.ts';
import { doors } from '../../app.ts';

const executable = findBrowser();
let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

test('the page and its parts are there, for HEAD too, and nothing else is', async () => {
  const page = await fetch(`${app.url}/docs`);
  const html = await page.text();
  const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
  expect(parts).toHaveLength(5);
  for (const path of ['/docs', ...parts]) {
    const [get, head] = await Promise.all([fetch(app.url + path), fetch(app.url + path, { method: 'HEAD' })]);
    const whole = await get.arrayBuffer();
    expect({ path, status: get.status, head: head.status, length: head.headers.get('content-length') }).toEqual({
      path,
      status: 200,
      head: 200,
      length: String(whole.byteLength),
    });
  }
  for (const name of ['package.json', '..%2fpackage.json', '__proto__', 'constructor', 'swagger-ui.js']) {
    const missing = await fetch(`${app.url}/docs/${name}`);
    expect({ name, status: missing.status, code: JSON.parse(await missing.text()).code }).toEqual({
      name,
      status: 404,
      code: 'route_not_found',
    });
  }
});

test('it may load from here only, and run no script that stands in it', async () => {
  const policy = (await fetch(`${app.url}/docs`)).headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
});

test('in production no key is filled in', async () => {
  const production = await startTestApp({ env: { NODE_ENV: 'production' } });
  const scripts = await Promise.all([app, production].map(async ({ url }) => (await fetch(`${url}/docs/start.js`)).text()));
  await production.close();
  expect(scripts[0]).toContain('dev-api-key-change-in-production');
  expect(scripts[1]).not.toMatch(/dev-api-key|preauthorize/);
});

describe.skipIf(executable === null)('in a browser', () => {
  let browser: Browser;
  let page: Page;
  const said: string[] = [];
  const asked: string[] = [];

  beforeAll(async () => {
    browser = await openBrowser(executable ?? '');
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.on('console', (message) => void said.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => void said.push(String(error)));
    page.on('request', (request) => void asked.push(request.url()));
    await page.goto(`${app.url}/docs`);
    await page.waitForSelector('.opblock-tag');
  });
  afterAll(() => browser.close());

  test('it shows a group of routes for each door, and every operation in it', async () => {
    const tags = await page.locator('.opblock-tag').evaluateAll((elements) => elements.map((element) => element.getAttribute('data-tag')));
    expect(tags.toSorted()).toEqual([...doors.map(({ name }) => name), 'server'].toSorted());
    for (const tag of tags) await page.locator(`.opblock-tag[data-tag="${tag}"]`).click();
    const operations = operationsOf(JSON.parse(await (await fetch(`${app.url}/openapi.json`)).text()));
    await page
      .locator('.opblock')
      .nth(operations.length - 1)
      .waitFor();
    expect(await page.locator('.opblock').count()).toBe(operations.length);
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  });

  test('a request tried out there is answered, with the key that is filled in', async () => {
    const operation = page.locator('.opblock', { has: page.locator('[data-path="/polylogue/v1/models"]') });
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('.try-out__btn').click();
    await operation.locator('.execute').click();
    const answer = operation.locator('.live-responses-table .response-col_description .highlight-code').first();
    await answer.waitFor();
    expect(await operation.locator('.live-responses-table .response-col_status').last().innerText()).toContain('200');
    expect(await answer.innerText()).toContain('"default": "gpt-4"');
    if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}.2.png` });
  });

  test('nothing left the server, and nothing was wrong', () => {
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((url) => !url.startsWith(`${app.url}/`) && !url.startsWith('data:'))).toEqual([]);
    expect(said).toEqual([]);
  });
});

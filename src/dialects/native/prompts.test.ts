import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/support/app.ts';

interface Body {
  readonly id: string;
  readonly title: string;
  readonly version: number;
  readonly code: string;
  readonly data: readonly Body[];
  readonly next_cursor: string | null;
}

const PROMPTS = '/polylogue/v1/prompts';
const TEMPLATE = '00000000-0000-8000-8000-000000000001';
const greeting = { title: 'Greeting', content: 'Greet {name}', scenario: 'mail' };

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

function as(user: string) {
  return async (call: string, body?: unknown, more: Record<string, string> = {}) => {
    const [method = '', path = ''] = call.split(' ');
    const headers = { 'x-user-id': user, ...(body !== undefined && { 'content-type': 'application/json' }), ...more };
    const response = await app.send(PROMPTS + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text === '' ? null : JSON.parse(text)) as Body };
  };
}

describe('a prompt', () => {
  test('is made, shown, changed and deleted', async () => {
    const send = as('ann');
    const made = await send('POST ', greeting);
    expect([made.status, made.headers.get('location')]).toEqual([201, `${PROMPTS}/${made.body.id}`]);
    expect(made.body).toMatchObject({ ...greeting, description: null, metadata: {}, is_template: false, usage_count: 0, version: 1 });
    const changed = await send(`PATCH /${made.body.id}`, { description: 'For mail' });
    expect([changed.status, changed.body]).toEqual([200, expect.objectContaining({ ...greeting, description: 'For mail', version: 2 })]);
    expect((await send(`PATCH /${made.body.id}`, { description: null })).body).toMatchObject({ description: null, version: 3 });
    expect((await send(`DELETE /${made.body.id}`)).status).toBe(204);
    expect((await send(`GET /${made.body.id}`)).body.code).toBe('prompt_not_found');
  });

  test('has no field that nobody knows, and no template can be changed', async () => {
    const send = as('ann');
    for (const more of [{ usage_count: 1 }, { is_template: true }, { owner: 'bob' }]) {
      expect((await send('POST ', { ...greeting, ...more })).status).toBe(422);
    }
    for (const [method, path, body] of [
      ['PATCH', '', { title: 'Mine' }],
      ['DELETE', ''],
      ['POST', '/versions/1/restore'],
    ] as const) {
      const refused = await send(`${method} /${TEMPLATE}${path}`, body);
      expect([refused.status, refused.body.code]).toEqual([403, 'template_read_only']);
    }
  });

  test('is made once with an Idempotency-Key, also when it was changed meanwhile', async () => {
    const send = as('careful');
    const repeat = { 'idempotency-key': 'k' };
    const made = await send('POST ', greeting, repeat);
    await send(`PATCH /${made.body.id}`, { title: 'Changed' });
    const again = await send('POST ', greeting, repeat);
    expect([again.status, again.headers.get('idempotent-replayed'), again.body]).toEqual([201, 'true', made.body]);
    expect((await send('POST ', { ...greeting, title: 'Other' }, repeat)).body.code).toBe('idempotency_mismatch');
    expect((await send('GET ?include_templates=false')).body.data).toHaveLength(1);
  });
});

describe('versions', () => {
  test('are one for each save that changes something, and any is the newest again by one request', async () => {
    const send = as('editor');
    const { id } = (await send('POST ', greeting)).body;
    for (const title of ['Two', 'Two', 'Three']) await send(`PATCH /${id}`, { title });
    const list = async (query = '') => (await send(`GET /${id}/versions${query}`)).body;
    expect((await list()).data.map(({ version, title }) => [version, title])).toEqual([
      [3, 'Three'],
      [2, 'Two'],
      [1, 'Greeting'],
    ]);
    const page = await list('?limit=2');
    expect((await list(`?limit=2&cursor=${page.next_cursor}`)).data.map(({ version }) => version)).toEqual([1]);
    expect((await send(`GET /${id}/versions/1`)).body).toMatchObject({ version: 1, ...greeting });
    const restored = await send(`POST /${id}/versions/1/restore`);
    expect([restored.status, restored.body]).toEqual([200, expect.objectContaining({ id, ...greeting, version: 4 })]);
    expect((await list()).data).toHaveLength(4);
  });

  test('that never were are not found, however they are written', async () => {
    const send = as('editor');
    const { id } = (await send('POST ', greeting)).body;
    for (const version of ['2', '0', '-1', '1.0', '01', '1e0', 'x', '9007199254740993', '%00']) {
      for (const [method, path] of [
        ['GET', ''],
        ['POST', '/restore'],
      ] as const) {
        const refused = await send(`${method} /${id}/versions/${version}${path}`);
        expect([refused.status, refused.body.code], version).toEqual([404, 'version_not_found']);
      }
    }
  });

  test('of a template are its only one', async () => {
    const send = as('reader');
    const { data, next_cursor } = (await send(`GET /${TEMPLATE}/versions`)).body;
    expect([data.map(({ version }) => version), next_cursor]).toEqual([[1], null]);
    expect((await send(`GET /${TEMPLATE}/versions/1`)).body.title).toBe('Summarize a text');
    expect((await send(`GET /${TEMPLATE}/versions/2`)).status).toBe(404);
  });
});

describe('the list', () => {
  test.each([1, 2, 3, 5, 100])('in pages of %i has each of the user’s own and each template once, in one order', async (limit) => {
    const send = as(`lister ${limit}`);
    for (const title of ['A', 'B', 'C']) await send('POST ', { ...greeting, title });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await send(`GET ?limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`);
      expect(body.data.length).toBeLessThanOrEqual(limit);
      seen.push(...body.data.map(({ title }) => title));
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect([seen.length, new Set(seen).size, seen.slice(0, 4)]).toEqual([17, 17, ['C', 'B', 'A', 'Summarize a text']]);
  });

  test('goes on where it was though prompts come and go', async () => {
    const send = as('busy');
    for (const title of ['A', 'B', 'C', 'D']) await send('POST ', { ...greeting, title });
    const first = (await send('GET ?limit=2&include_templates=false')).body;
    await send(`DELETE /${first.data[1]?.id}`);
    await send('POST ', { ...greeting, title: 'E' });
    const second = (await send(`GET ?limit=2&include_templates=false&cursor=${first.next_cursor}`)).body;
    expect([first, second].map(({ data }) => data.map(({ title }) => title))).toEqual([
      ['D', 'C'],
      ['B', 'A'],
    ]);
    expect(second.next_cursor).toBeNull();
  });

  test('is searched by q', async () => {
    const send = as('finder');
    await send('POST ', { ...greeting, content: 'Grüße {name} herzlich' });
    const found = async (query: string) => (await send(`GET ${query}`)).body.data.map(({ title }) => title);
    expect(await found('?q=GRÜSSE%20herz')).toEqual(['Greeting']);
    expect(await found('?q=translate&scenario=translation')).toEqual(['Translate']);
    expect(await found('?q=translate&include_templates=false')).toEqual([]);
  });
});

test('a preview takes a stored prompt or a text, and not both', async () => {
  const send = as('viewer');
  const { id } = (await send('POST ', { ...greeting, metadata: { variables: { name: { default: 'everybody' } } } })).body;
  const stored = await send('POST /preview', { prompt_id: id });
  expect([stored.status, stored.body]).toEqual([
    200,
    { preview: expect.stringContaining('> Greet everybody'), tokens_used: expect.any(Number), model_used: 'demo' },
  ]);
  expect((await send(`GET /${id}`)).body).toMatchObject({ usage_count: 1, version: 1 });
  expect((await send('POST /preview', { content: 'Hi {name}', variables: { name: 7 } })).body).toMatchObject({
    preview: expect.stringContaining('> Hi 7'),
  });
  for (const body of [{}, { prompt_id: id, content: 'x' }]) expect((await send('POST /preview', body)).status).toBe(422);
  expect((await as('stranger')('POST /preview', { prompt_id: id })).body.code).toBe('prompt_not_found');
});

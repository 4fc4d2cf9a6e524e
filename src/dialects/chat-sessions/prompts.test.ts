import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/support/app.ts';

interface Prompt {
  readonly id: number;
  readonly title: string;
  readonly content: string;
  readonly description: string | null;
  readonly is_template: boolean;
  readonly usage_count: number;
  readonly updated_at: string;
}

interface Page {
  readonly items: readonly Prompt[];
  readonly total: number;
}

const summarizer = {
  title: 'Text Summarizer',
  content: 'Summarize the following text: {text}',
  scenario: 'summarization',
  description: 'Generates concise summaries',
  metadata: { tags: ['summary', 'concise'] },
};
const TEMPLATES = 14;

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

/** What one user sends; every test has a user of its own. */
function as(user: string) {
  const authorization = app.token(user).then((token) => `Bearer ${token}`);
  const send = async (method: string, path: string, body?: unknown) =>
    app.send(`/api/chat/prompts${path}`, {
      method,
      headers: { authorization: await authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const read = async <T>(response: Promise<Response>): Promise<T> => {
    const answer = await response;
    expect(answer.status, await answer.clone().text()).toBe(200);
    return (await answer.json()) as T;
  };
  return {
    send,
    create: (changes: object = {}) => read<Prompt>(send('POST', '', { ...summarizer, ...changes })),
    show: (id: number) => read<Prompt>(send('GET', `/${id}`)),
    change: (id: number, changes: object) => read<Prompt>(send('PUT', `/${id}`, changes)),
    list: (query = '') => read<Page>(send('GET', query)),
    refusal: async (response: Promise<Response>) => {
      const answer = await response;
      return [answer.status, ((await answer.json()) as { detail: string }).detail];
    },
  };
}

const titles = ({ items }: Page) => items.map(({ title }) => title);

describe('a prompt', () => {
  it('is stored, shown, changed field by field and deleted', async () => {
    const ann = as('ann');
    const made = await ann.create();
    const { id, ...shown } = made;
    expect(shown).toEqual({
      ...summarizer,
      ...{ is_template: false, usage_count: 0, created_at: expect.stringMatching(/Z$/), updated_at: shown.updated_at },
    });
    expect(Number.isSafeInteger(id) && id > 1_000_000).toBe(true);
    expect(await ann.show(id)).toEqual(made);
    const changed = await ann.change(id, { title: 'Updated Title', content: null, description: '', usage_count: 9, is_template: true });
    expect(changed).toEqual({ ...made, title: 'Updated Title', description: '', updated_at: changed.updated_at });
    expect(await ann.change(id, {})).toEqual(changed);
    expect(await (await ann.send('DELETE', `/${id}`)).json()).toEqual({ message: 'Prompt deleted successfully' });
    for (const method of ['GET', 'DELETE']) expect(await ann.refusal(ann.send(method, `/${id}`))).toEqual([404, 'Prompt not found']);
  });

  it('has metadata and no description unless they are given', async () => {
    const { metadata: _, description: __, ...bare } = summarizer;
    const made = await (await as('bare').send('POST', '', { ...bare, description: null })).json();
    expect(made).toMatchObject({ metadata: {}, description: null });
  });

  it('may have a title of 255 characters, however they are written', async () => {
    const wide = as('wide');
    const title = '👩'.repeat(255);
    expect((await wide.create({ title })).title).toBe(title);
    for (const wrong of [
      { title: `${title}x` },
      { scenario: 'x'.repeat(101) },
      { content: 'x'.repeat(100_001) },
      { metadata: { a: 'x'.repeat(16_384) } },
    ]) {
      expect((await wide.send('POST', '', { ...summarizer, ...wrong })).status).toBe(422);
    }
    expect((await wide.list('?include_templates=false')).total).toBe(1);
  });

  it('of somebody else is answered like one that never was, and so is its preview', async () => {
    const { id } = await as('owner').create();
    const stranger = as('stranger');
    for (const [method, body] of [['GET'], ['PUT', { title: 'Mine' }], ['DELETE']] as const) {
      const [foreign, never] = await Promise.all(
        [id, 4_503_599_627_370_495].map(async (number) => (await stranger.send(method, `/${number}`, body)).text()),
      );
      expect(foreign).toBe(never);
    }
    expect(await stranger.refusal(stranger.send('POST', '/preview', { prompt_id: id }))).toEqual([404, 'Prompt not found']);
    expect((await as('owner').show(id)).usage_count).toBe(0);
  });

  it('finds no room when its user keeps two million characters', async () => {
    const hoarder = as('hoarder');
    const content = 'x'.repeat(99_000);
    for (let number = 0; number < 20; number += 1) await hoarder.create({ content });
    const [status, detail] = await hoarder.refusal(hoarder.send('POST', '', { ...summarizer, content }));
    expect([status, detail]).toEqual([409, expect.stringContaining('2000000 characters')]);
  });
});

describe('templates', () => {
  it('are readable by all, behind the user’s own, and not to be changed', async () => {
    const user = as('reader');
    const all = await user.list();
    expect([all.total, all.items.length, all.items.every(({ is_template }) => is_template)]).toEqual([TEMPLATES, TEMPLATES, true]);
    const [template] = all.items;
    const id = template?.id ?? 0;
    expect(await user.show(id)).toEqual(template);
    const refused = [403, 'Cannot modify system templates'];
    expect(await user.refusal(user.send('PUT', `/${id}`, { title: 'Mine' }))).toEqual(refused);
    expect(await user.refusal(user.send('DELETE', `/${id}`))).toEqual(refused);
    await user.create();
    expect([(await user.list()).total, (await user.list('?include_templates=true')).items[0]?.is_template]).toEqual([TEMPLATES + 1, false]);
    expect(titles(await user.list('?include_templates=false'))).toEqual(['Text Summarizer']);
  });

  it('are counted for each user apart', async () => {
    const user = as('counting');
    for (let turn = 0; turn < 2; turn += 1) await user.send('POST', '/preview', { prompt_id: 1, variables: { text: 'T' } });
    expect([(await user.show(1)).usage_count, (await user.list()).items[0]?.usage_count]).toEqual([2, 2]);
    expect((await as('another').show(1)).usage_count).toBe(0);
  });
});

describe('the list', () => {
  it('goes on from the user’s own to the templates, page by page, with the number of all', async () => {
    const user = as('pager');
    for (const title of ['A', 'B', 'C']) await user.create({ title });
    const seen: string[] = [];
    for (let page = 1; page <= 9; page += 1) {
      const shown = await user.list(`?page=${page}&page_size=2`);
      expect(shown).toMatchObject({ total: TEMPLATES + 3, page, page_size: 2 });
      expect(shown.items.length).toBe(page < 9 ? 2 : 1);
      seen.push(...titles(shown));
    }
    expect(seen.slice(0, 4)).toEqual(['C', 'B', 'A', 'Summarize a text']);
    expect(new Set(seen).size).toBe(TEMPLATES + 3);
    expect((await user.list('?page=10&page_size=2')).items).toEqual([]);
  });

  it('is filtered by scenario and by words, of templates too', async () => {
    const user = as('searcher');
    await user.create({ title: 'Протокол', content: 'Пиши КОРОТКО: {text}', scenario: 'meetings' });
    await user.create({ description: 'For 100% of texts' });
    expect(titles(await user.list('?scenario=meetings'))).toEqual(['Протокол', 'Write minutes of a meeting']);
    expect(titles(await user.list('?search=коротко'))).toEqual(['Протокол']);
    expect(titles(await user.list('?search=MINUTES%20meeting'))).toEqual(['Write minutes of a meeting']);
    expect(titles(await user.list(`?search=${encodeURIComponent('100%')}`))).toEqual(['Text Summarizer']);
    expect(await user.list('?search=minutes&include_templates=false')).toMatchObject({ total: 0, items: [] });
    expect((await user.list('?search=&scenario=')).total).toBe(TEMPLATES + 2);
    expect((await as('nobody').list('?search=коротко')).total).toBe(0);
    expect(
      (await user.send('GET', `?search=${'word-'.repeat(5)}${Array.from({ length: 21 }, (_, n) => `%20w${n}`).join('')}`)).status,
    ).toBe(422);
  });
});

describe('a preview', () => {
  it('is what the default model answers to the filled prompt, and counts as a use', async () => {
    const user = as('viewer');
    const { id, updated_at } = await user.create();
    const answers = await Promise.all(
      [1, 2, 3].map(async () => (await user.send('POST', '/preview', { prompt_id: id, variables: { text: 'Sample {text}' } })).json()),
    );
    for (const answer of answers) {
      expect(answer).toEqual({
        preview: expect.stringContaining('> Summarize the following text: Sample {text}'),
        tokens_used: expect.any(Number),
        model_used: 'demo',
      });
      expect((answer as { tokens_used: number }).tokens_used).toBeGreaterThan(10);
    }
    expect(await user.show(id)).toMatchObject({ usage_count: 3, updated_at });
  });

  it('takes a content of its own, and stores nothing', async () => {
    const user = as('trial');
    const answer = await user.send('POST', '/preview', { content: 'Greet {name}', variables: { name: 'Ann' }, prompt_id: null });
    expect(((await answer.json()) as { preview: string }).preview).toContain('> Greet Ann');
    expect((await user.list('?include_templates=false')).total).toBe(0);
    expect((await app.send('/v1/chat/history', { headers: { authorization: `Bearer ${await app.token('trial')}` } })).status).toBe(200);
  });

  it('uses the defaults of a template', async () => {
    const answer = await as('defaults').send('POST', '/preview', { prompt_id: 2, variables: { text: 'Hallo', tone: 'a formal tone' } });
    expect(((await answer.json()) as { preview: string }).preview).toContain(
      '> Translate the text below into English, keeping a formal tone.',
    );
  });

  it('of nothing, or of nothing readable, is refused', async () => {
    const user = as('careless');
    const refused = (body: object) => user.refusal(user.send('POST', '/preview', body));
    for (const body of [{}, { prompt_id: null, variables: {} }, { content: '' }]) {
      expect(await refused(body)).toEqual([400, 'Either prompt_id or content must be provided']);
    }
    const wrong = [
      { prompt_id: '1' },
      { prompt_id: 1.5 },
      { content: 'x', variables: { a: {} } },
      { content: '{a}', variables: { a: ' ' } },
    ];
    for (const body of wrong) expect((await refused(body))[0], JSON.stringify(body)).toBe(422);
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`v${index}`, 'x']));
    expect((await refused({ content: 'x', variables: many }))[0]).toBe(422);
    expect((await refused({ content: '{a}'.repeat(9), variables: { a: 'x'.repeat(50_000) } }))[0]).toBe(422);
  });
});

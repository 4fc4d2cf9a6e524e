import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import { foldedWords } from '../../src/core/folded-text.ts';
import type { PromptId } from '../../src/core/ids.ts';
import type { Idempotency } from '../../src/core/ports/idempotency.ts';
import type { NewPrompt, PromptBounds, SavePromptResult } from '../../src/core/ports/prompt-store.ts';
import type { Store } from '../../src/core/ports/store.ts';
import type { Owner } from '../../src/core/principal.ts';
import type { Prompt, PromptContent } from '../../src/core/prompt.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, begin, bob, DAY, elsewhere, NOW, newId } from './store-fixtures.ts';

const bounds: PromptBounds = { prompts: 50, chars: 1_000_000, versions: 20 };
const CANARY = 'cAnArY-prompt-51';

function newPrompt(changes: Partial<NewPrompt> = {}): NewPrompt {
  const names = { id: newId<PromptId>(), number: randomInt(1_000_001, 2 ** 47) };
  return { ...names, title: 'T', content: 'C {x}', scenario: 's', description: null, metadata: {}, ...changes };
}

interface By {
  readonly owner?: Owner;
  readonly now?: number;
  readonly bounds?: PromptBounds;
}

function savedBy(result: SavePromptResult): Prompt {
  if (result.kind === 'refused') throw new Error(result.reason);
  return result.prompt;
}

const create = async (store: Store, changes: Partial<NewPrompt> = {}, by: By = {}) =>
  savedBy(await store.createPrompt({ owner: ann, now: NOW, bounds, prompt: newPrompt(changes), idempotency: null, ...by }));

const change = (store: Store, { id }: Prompt, { by, ...changes }: Partial<PromptContent> & { readonly by?: By }) =>
  store.changePrompt({ owner: ann, ref: { id }, changes, now: NOW + 1, bounds, ...by });

const restore = (store: Store, { id }: Prompt, input: { readonly version: number; readonly idempotency?: Idempotency }) =>
  store.restorePrompt({ owner: ann, ref: { id }, now: NOW + 2, bounds, idempotency: null, ...input });

const listed = async (store: Store, filter: { scenario?: string; search?: string } = {}, owner = ann) => {
  const { search, ...rest } = filter;
  const query = { ...rest, ...(search !== undefined && { words: foldedWords(search) }), limit: 99, from: { offset: 0 } };
  const { prompts, total } = await store.listPrompts(owner, query);
  expect(total).toBe(prompts.length);
  return prompts.map(({ title }) => title);
};

const numbersOf = async (store: Store, prompt: Prompt) =>
  (await store.listPromptVersions(ann, { id: prompt.id }, { before: null, limit: 99 }))?.map(({ version }) => version);

export const promptCases: StoreCases = {
  'finds a prompt by both of its names, as it was saved': async ({ store }) => {
    const given = newPrompt({ title: 'Ünïcode 🦜', description: 'What for', metadata: { deep: { list: [1, null] } } });
    const made = await create(store, given);
    expect(made).toEqual({ ...given, isTemplate: false, version: 1, usageCount: 0, createdAt: NOW, updatedAt: NOW });
    expect(await store.findPrompt(ann, { id: given.id })).toEqual(made);
    expect(await store.findPrompt(ann, { number: given.number })).toEqual(made);
  },

  'answers foreign and unused names alike, and changes nothing there': async ({ store }) => {
    const mine = await create(store);
    for (const owner of [bob, elsewhere]) {
      for (const ref of [{ id: mine.id }, { number: mine.number }, { id: newId<PromptId>() }]) {
        const refused = { kind: 'refused', reason: 'prompt_not_found' };
        expect(await store.findPrompt(owner, ref)).toBeNull();
        expect(await store.changePrompt({ owner, ref, changes: { title: 'mine' }, now: NOW, bounds })).toEqual(refused);
        expect(await store.restorePrompt({ owner, ref, version: 1, now: NOW, bounds, idempotency: null })).toEqual(refused);
        expect(await store.listPromptVersions(owner, ref, { before: null, limit: 9 })).toBeNull();
        expect(await store.deletePrompt(owner, ref)).toBe(false);
        await store.countPromptUse(owner, ref);
      }
      expect(await listed(store, {}, owner)).toEqual([]);
    }
    expect(await store.findPrompt(ann, { id: mine.id })).toEqual(mine);
  },

  'lists newest first, page by page, with the number of all': async ({ store }) => {
    const made: Prompt[] = [];
    for (const [index, age] of [3, 1, 2, 2].entries()) made.push(await create(store, { title: `${index}` }, { now: NOW - age }));
    const [third, first, ...second] = made;
    const expected = [first, ...second.toSorted((a, b) => (a.id < b.id ? 1 : -1)), third].map((prompt) => prompt?.id);
    const idsOf = async (from: { offset: number } | { after: { createdAt: number; id: PromptId } }, limit: number) => {
      const { prompts, total } = await store.listPrompts(ann, { limit, from });
      expect(total).toBe(4);
      return prompts.map(({ id }) => id);
    };
    expect(await idsOf({ offset: 0 }, 9)).toEqual(expected);
    expect(await idsOf({ offset: 1 }, 2)).toEqual(expected.slice(1, 3));
    expect(await idsOf({ offset: 4 }, 2)).toEqual([]);
    for (const [index, id] of expected.entries()) {
      const place = made.find((prompt) => prompt.id === id);
      if (place) expect(await idsOf({ after: place }, 2)).toEqual(expected.slice(index + 1, index + 3));
    }
  },

  'finds words of title, description and content without case, in any script, and takes every character literally': async ({ store }) => {
    await create(store, { title: 'Zusammenfassen', content: 'Fasse ÄRGER und STRASSE zusammen: 100%_\\ "AND" *' });
    await create(store, { title: 'Перевод', description: 'Для писем', content: 'Ёлка Καλημέρα ΟΔΟΣ' });
    await create(store, { title: '要約', content: '次の文章を要約してください' });
    await create(store, { title: 'Café', content: 'Plain: 100 percent' });
    const found = async (search: string) => (await listed(store, { search })).toSorted();
    expect(await found('ärger straße')).toEqual(['Zusammenfassen']);
    expect(await found('zusammen FASSE')).toEqual(['Zusammenfassen']);
    expect(await found('письм')).toEqual([]);
    expect(await found('ПИСЕМ елка')).toEqual(['Перевод']);
    expect(await found('οδοσ καλημερα')).toEqual(['Перевод']);
    expect(await found('文章')).toEqual(['要約']);
    expect(await found('cafe')).toEqual(['Café']);
    for (const literal of ['%', '_', '\\', '"and"', '*', '100%_']) expect(await found(literal)).toEqual(['Zusammenfassen']);
    expect(await found("' or 1=1 --")).toEqual([]);
    expect(await found('100')).toEqual(['Café', 'Zusammenfassen']);
    expect(await found(' \t ')).toHaveLength(4);
    expect(await found('plain zusammen')).toEqual([]);
  },

  'filters by scenario exactly, and only among the owner’s': async ({ store }) => {
    await create(store, { title: 'A', scenario: 'summarization' });
    await create(store, { title: 'B', scenario: 'Summarization' });
    await create(store, { title: 'C', scenario: 'summarization' }, { owner: bob });
    expect(await listed(store, { scenario: 'summarization' })).toEqual(['A']);
    expect(await listed(store, { scenario: 'summarization', search: 'b' })).toEqual([]);
  },

  'searches what a prompt is now, not what it was': async ({ store }) => {
    const prompt = await create(store, { content: 'before' });
    await change(store, prompt, { content: 'after', scenario: 'new' });
    expect([await listed(store, { search: 'before' }), await listed(store, { search: 'after', scenario: 'new' })]).toEqual([[], ['T']]);
  },

  'makes a version of each save that changes something': async ({ store }) => {
    const made = await create(store, { description: 'D' });
    const changed = savedBy(await change(store, made, { content: 'Two', description: null, metadata: { a: 1 } }));
    expect(changed).toEqual({ ...made, content: 'Two', description: null, metadata: { a: 1 }, version: 2, updatedAt: NOW + 1 });
    expect(await store.findPrompt(ann, { id: made.id })).toEqual(changed);
    expect(await change(store, made, { content: 'Two', metadata: { a: 1 }, by: { now: NOW + 9 } })).toEqual({
      kind: 'saved',
      prompt: changed,
    });
    const versions = await store.listPromptVersions(ann, { id: made.id }, { before: null, limit: 9 });
    const { title, scenario } = made;
    expect(versions).toEqual([
      { version: 2, title, scenario, content: 'Two', description: null, metadata: { a: 1 }, createdAt: NOW + 1 },
      { version: 1, title, scenario, content: 'C {x}', description: 'D', metadata: {}, createdAt: NOW },
    ]);
    expect(await store.listPromptVersions(ann, { id: made.id }, { before: 2, limit: 1 })).toEqual(versions?.slice(1));
  },

  'restores a version as a further one': async ({ store }) => {
    const made = await create(store);
    await change(store, made, { title: 'Two' });
    const restored = savedBy(await restore(store, made, { version: 1 }));
    expect(restored).toEqual({ ...made, version: 3, updatedAt: NOW + 2 });
    expect(savedBy(await restore(store, made, { version: 3 })).version).toBe(3);
    expect(await restore(store, made, { version: 4 })).toEqual({ kind: 'refused', reason: 'version_not_found' });
    expect(await numbersOf(store, made)).toEqual([3, 2, 1]);
  },

  'keeps the newest versions only': async ({ store }) => {
    const made = await create(store);
    const few = { ...bounds, versions: 3 };
    for (let number = 2; number <= 6; number += 1) await change(store, made, { title: `${number}`, by: { bounds: few } });
    expect(await numbersOf(store, made)).toEqual([6, 5, 4]);
    expect(await restore(store, made, { version: 3 })).toEqual({ kind: 'refused', reason: 'version_not_found' });
  },

  'refuses one prompt too many exactly, however many come at once': async ({ store }) => {
    const few = { ...bounds, prompts: 3 };
    const saving = (owner: Owner) => store.createPrompt({ owner, now: NOW, bounds: few, prompt: newPrompt(), idempotency: null });
    const results = await Promise.all(Array.from({ length: 12 }, () => saving(ann)));
    expect(results.filter(({ kind }) => kind === 'saved')).toHaveLength(3);
    expect(results.find(({ kind }) => kind === 'refused')).toEqual({ kind: 'refused', reason: 'too_many' });
    expect((await saving(bob)).kind).toBe('saved');
    expect((await saving(elsewhere)).kind).toBe('saved');
    expect(await listed(store)).toHaveLength(3);
  },

  'bounds what all prompts of a user take together': async ({ store }) => {
    const tight = { ...bounds, chars: 1_000 };
    const refused = { kind: 'refused', reason: 'too_long' };
    const saving = (content: string) =>
      store.createPrompt({ owner: ann, now: NOW, bounds: tight, prompt: newPrompt({ content }), idempotency: null });
    const made = savedBy(await saving('x'.repeat(900)));
    // One letter that is searched as eighteen.
    expect(await saving('ﷺ'.repeat(10))).toEqual(refused);
    expect(await saving('x'.repeat(100))).toEqual(refused);
    const growing = await Promise.all(Array.from({ length: 8 }, (_, index) => saving(`${index}`.repeat(30))));
    expect(growing.filter(({ kind }) => kind === 'saved')).toHaveLength(2);
    expect(await change(store, made, { content: 'x'.repeat(990), by: { bounds: tight } })).toEqual(refused);
    expect((await change(store, made, { content: 'x'.repeat(899), by: { bounds: { ...tight, chars: 10 } } })).kind).toBe('saved');
  },

  'loses no change of two that come at once, and counts every use': async ({ store }) => {
    const made = await create(store);
    const { id } = made;
    await Promise.all([
      change(store, made, { title: 'Two' }),
      change(store, made, { content: 'Three' }),
      ...Array.from({ length: 10 }, () => store.countPromptUse(ann, { id })),
    ]);
    expect(await store.findPrompt(ann, { id })).toMatchObject({
      title: 'Two',
      content: 'Three',
      version: 3,
      usageCount: 10,
      createdAt: NOW,
    });
  },

  'counts uses of templates for each user': async ({ store }) => {
    const use = (owner: Owner, number: number) => store.countTemplateUse({ owner, number, now: NOW });
    await Promise.all([use(ann, 1), use(ann, 1), use(ann, 2), use(bob, 1)]);
    const byNumber = async (owner: Owner) => (await store.templateUses(owner)).toSorted((a, b) => a.number - b.number);
    expect(await byNumber(ann)).toEqual([
      { number: 1, uses: 2 },
      { number: 2, uses: 1 },
    ]);
    expect([await byNumber(bob), await byNumber(elsewhere)]).toEqual([[{ number: 1, uses: 1 }], []]);
  },

  'makes and restores once under an idempotency key, for a day': async ({ store }) => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const creating = (more: object = {}) => store.createPrompt({ owner: ann, now: NOW, bounds, prompt: newPrompt(), idempotency, ...more });
    const all = await Promise.all([creating(), creating(), creating()]);
    expect(all.map(({ kind }) => kind).toSorted()).toEqual(['replayed', 'replayed', 'saved']);
    const made = savedBy(all[0] as SavePromptResult);
    await change(store, made, { title: 'Two' });
    expect(await creating()).toEqual({ kind: 'replayed', prompt: made });
    expect(await creating({ idempotency: { key: 'k', fingerprint: 'other' } })).toEqual({
      kind: 'refused',
      reason: 'idempotency_mismatch',
    });
    const again = { idempotency: { key: 'r', fingerprint: 'r' } };
    const restored = savedBy(await restore(store, made, { version: 1, ...again }));
    await change(store, made, { title: 'Four' });
    expect(await restore(store, made, { version: 1, ...again })).toEqual({ kind: 'replayed', prompt: restored });
    expect((await creating({ now: NOW + DAY + 1 })).kind).toBe('saved');
    expect((await creating({ owner: bob })).kind).toBe('saved');
  },

  'leaves no byte of a deleted prompt in its files or tables': async ({ store, place }) => {
    const keep = await create(store, { title: 'kept' });
    const idempotency = { key: 'k', fingerprint: 'f' };
    const parts = { title: CANARY, scenario: CANARY, description: CANARY, content: CANARY.repeat(500), metadata: { [CANARY]: CANARY } };
    const result = await store.createPrompt({ owner: ann, now: NOW, bounds, prompt: newPrompt(parts), idempotency });
    const secret = savedBy(result);
    for (let number = 0; number < 30; number += 1) {
      await change(store, secret, { content: `${CANARY} ${'x'.repeat(number * 300)}` });
      await create(store, { title: `other ${number}`, content: 'y'.repeat((number * 37) % 900) });
    }
    expect(await place.holding(CANARY)).not.toEqual([]);
    expect(await store.deletePrompt(ann, { id: secret.id })).toBe(true);
    expect([await place.holding(CANARY), await place.holding(CANARY.toLowerCase())]).toEqual([[], []]);
    expect(await store.deletePrompt(ann, { id: secret.id })).toBe(false);
    expect(await store.findPrompt(ann, { number: secret.number })).toBeNull();
    expect(await store.findPrompt(ann, { id: keep.id })).toEqual(keep);
    // What the key named is gone with the prompt.
    const again = await store.createPrompt({ owner: ann, now: NOW, bounds, prompt: newPrompt(), idempotency });
    expect(again.kind).toBe('saved');
  },

  'keeps prompts when it is opened again': async (opened) => {
    const made = await create(opened.store);
    await opened.store.close();
    opened.store = await opened.open();
    expect(await opened.store.findPrompt(ann, { id: made.id })).toEqual(made);
  },

  'tells how many more runs may begin': async ({ store }) => {
    const left = (owner: Owner, user: number | null, application: number | null) =>
      store.runsLeft({ owner, maxUnfinished: { user, application } });
    await begin(store);
    expect(await left(ann, 2, null)).toEqual({ user: 0, application: null });
    expect([await left(ann, 1, null), await left(bob, 1, 1)]).toEqual(['user', 'application']);
    expect(await left(elsewhere, 1, 1)).toEqual({ user: 0, application: 0 });
  },
};

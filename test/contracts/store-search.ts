import { expect } from 'vitest';
import type { ThreadKey } from '../../src/core/ids.ts';
import type { NewThread, Store } from '../../src/core/ports/store.ts';
import type { ThreadFilter } from '../../src/core/ports/thread-query.ts';
import { searchWordsOf, wordsOf } from '../../src/core/search-words.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, append, begin, bob, elsewhere, ending, NOW, newThread, question, turn } from './store-fixtures.ts';

const asking = (text: string) => ({ kind: 'append', messages: [question(text)], parent: 'head' }) as const;

/** A thread of one question and its answer. */
async function conversation(store: Store, texts: { question?: string; answer?: string; owner?: typeof ann } & Partial<NewThread>) {
  const { question: asked = 'q', answer = 'a', owner = ann, ...thread } = texts;
  const create = newThread(thread);
  const made = await turn(store, { owner, thread: { create }, ask: asking(asked) }, answer);
  return { ...made, key: create.key, ref: { id: create.id } };
}

/** Keys of the threads that a query finds, which must be as many as are counted. */
async function found(store: Store, query: string, { owner = ann, ...filter }: ThreadFilter & { owner?: typeof ann } = {}) {
  const words = searchWordsOf(query);
  const threads = await store.listThreads(owner, { ...filter, words, limit: 999, cursor: null });
  expect(await store.countThreads(owner, { ...filter, words })).toBe(threads.length);
  return threads.map(({ key }) => key);
}

/** Numbers from 0 to 1, the same every time. */
function pseudoRandom(): () => number {
  let state = 7;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

export const searchCases: StoreCases = {
  'finds a thread by its title, a question or an answer, which has all of the words': async ({ store }) => {
    const { key } = await conversation(store, { title: 'Trip to Zürich', question: 'Wo ist die Straße?', answer: '東京都にあります。' });
    await conversation(store, { title: 'Something else' });
    for (const query of ['trip ZURICH', 'zur', 'strasse', 'die WO', '東京', '都', '京都', '"trip"', 'trip-zürich']) {
      expect([query, await found(store, query)]).toEqual([query, [key]]);
    }
    for (const query of ['zurichberg', 'urich', 'trip strasse', 'trip without', '京東', 't', '🦜', '***', '']) {
      expect([query, await found(store, query)]).toEqual([query, []]);
    }
  },

  'takes nothing in a query for more than a word': async ({ store }) => {
    const { key } = await conversation(store, { question: `and or not near x words rowid select 'quoted' "twice" back\\slash 50%` });
    const queries = ['AND', 'x OR y', 'NOT x', 'NEAR(x y)', 'words:x', '^x', 'x + select', '{x}', 'x*', '-x', '"', "'", "x' OR 1=1 --"];
    const syntax = ['x & !y', 'x:*', 'x <-> y', '\\', '%', '_', '50%', '(x', 'x)', '* *', ':', "''", 'x"*', '\\x00'];
    for (const query of [...queries, ...syntax]) {
      const wanted = searchWordsOf(query);
      const stored = ['and', 'or', 'not', 'near', 'x', 'words', 'rowid', 'select', 'quoted', 'twice', 'back', 'slash', '50'];
      const fits =
        wanted.length > 0 && wanted.every(({ text, prefix }) => stored.some((word) => word === text || (prefix && word.startsWith(text))));
      expect([query, await found(store, query)]).toEqual([query, fits ? [key] : []]);
    }
    expect(await found(store, Array.from({ length: 64 }, () => 'x').join(' '))).toEqual([key]);
    expect(await found(store, Array.from({ length: 300 }, (_, index) => `w${index}`).join(' '))).toEqual([]);
  },

  'shows nobody what somebody else wrote': async ({ store }) => {
    const { key } = await conversation(store, { title: 'secret', question: 'secret' });
    for (const owner of [bob, elsewhere, { ...ann, userId: 'never seen' }]) {
      expect(await found(store, 'secret', { owner })).toEqual([]);
    }
    const own = await conversation(store, { owner: bob, question: 'secret' });
    const foreign = await conversation(store, { owner: elsewhere, question: 'secret' });
    expect(await found(store, 'sec')).toEqual([key]);
    expect(await found(store, 'secret', { owner: bob })).toEqual([own.key]);
    expect(await found(store, 'secret', { owner: elsewhere })).toEqual([foreign.key]);
  },

  'finds what is on other branches and what was broken off, but no reasoning and no tools': async ({ store }) => {
    const { key, ref, run } = await conversation(store, { question: 'first', answer: 'replaced' });
    const again = await begin(store, { thread: { ref }, ask: { kind: 'again', message: run.messageId } });
    const end = ending(again.run, 2);
    const parts = [
      { type: 'reasoning', text: 'thought' },
      { type: 'text', text: 'partly' },
      { type: 'tool_call', call_id: 'c', name: 'called', arguments: '{"argument":1}' },
      { type: 'tool_result', call_id: 'c', name: 'called', status: 'completed', result: 'returned' },
    ] as const;
    await append(store, { ends: [{ ...end, status: 'failed', answer: { ...end.answer, parts, status: 'failed' } }] });
    for (const query of ['replaced', 'partly', 'first']) expect(await found(store, query)).toEqual([key]);
    for (const query of ['thought', 'called', 'argument', 'returned']) expect(await found(store, query)).toEqual([]);
  },

  'finds a question before its answer is there, and a thread by the title that it has now': async ({ store }) => {
    const { thread } = await begin(store, { ask: asking('pending'), title: 'given' });
    expect(await found(store, 'pending')).toEqual([thread.key]);
    expect(await found(store, 'given')).toEqual([thread.key]);
    const rename = (title: string | null) => store.changeThread({ owner: ann, ref: { id: thread.id }, changes: { title }, now: NOW });
    await rename('renamed');
    expect([await found(store, 'given'), await found(store, 'renamed')]).toEqual([[], [thread.key]]);
    await rename(null);
    expect([await found(store, 'renamed'), await found(store, 'pending')]).toEqual([[], [thread.key]]);
    await rename('given');
    expect(await found(store, 'given')).toEqual([thread.key]);
  },

  'knows what was written just before, in the same breath': async ({ store }) => {
    const { key, ref } = await conversation(store, { title: 'zero' });
    const rename = (title: string) => store.changeThread({ owner: ann, ref, changes: { title }, now: NOW });
    await Promise.all(['one', 'two', 'three'].map(rename));
    const title = (await store.findThread(ann, ref))?.title ?? '';
    for (const word of ['zero', 'one', 'two', 'three'])
      expect([word, await found(store, word)]).toEqual([word, word === title ? [key] : []]);
    const words = searchWordsOf('four');
    const [, threads] = await Promise.all([rename('four'), store.listThreads(ann, { words, limit: 9, cursor: null })]);
    // Only where every call goes the same way is the order of the calls that of the work.
    if (!store.capabilities.shared) expect(threads.map((thread) => thread.key)).toEqual([key]);
  },

  'searches within what other filters leave, page by page': async ({ store }) => {
    const keys: ThreadKey[] = [];
    for (let number = 0; number < 7; number += 1) {
      const { key, ref } = await conversation(store, {
        question: 'common words',
        tags: number % 2 === 0 ? ['even'] : [],
        model: `m${number % 3}`,
      });
      if (number === 6) await store.changeThread({ owner: ann, ref, changes: { archived: true }, now: NOW });
      keys.unshift(key);
    }
    await conversation(store, { question: 'rare words' });
    const newest = (await found(store, 'common')).toSorted().reverse();
    expect(newest).toEqual(keys.toSorted().reverse());
    expect(await found(store, 'common', { archived: true })).toEqual([keys[0]]);
    expect(await found(store, 'common', { archived: false, tags: ['even'] })).toHaveLength(3);
    expect(await found(store, 'common', { model: 'm1' })).toHaveLength(2);
    expect(await found(store, 'words', { archived: false })).toHaveLength(7);
    const words = searchWordsOf('common');
    const page = async (offset: number) => (await store.listThreads(ann, { words, limit: 3, offset, cursor: null })).map(({ key }) => key);
    expect([...(await page(0)), ...(await page(3)), ...(await page(6)), ...(await page(9))]).toEqual(await found(store, 'common'));
    const [third] = (await store.listThreads(ann, { words, limit: 1, offset: 2, cursor: null })).slice(-1);
    const behind = await store.listThreads(ann, { words, limit: 9, cursor: third ?? null });
    expect(behind.map(({ key }) => key)).toEqual((await found(store, 'common')).slice(3));
  },

  'no longer finds a thread once it is closed, and leaves no word of it': async (opened) => {
    const { store, place } = opened;
    const keep = await conversation(store, { question: 'shared and kept' });
    const gone = await conversation(store, { title: 'Titlecanary', question: 'shared Questioncanary', answer: 'Replycanary' });
    const canaries = ['titlecanary', 'questioncanary', 'replycanary'];
    await store.changeThread({ owner: ann, ref: gone.ref, changes: { title: 'Newcanary' }, now: NOW });
    expect(await found(store, 'shared')).toHaveLength(2);
    for (const word of canaries.slice(1)) expect([word, await place.holding(word)]).not.toEqual([word, []]);
    await store.closeThread({ owner: ann, ref: gone.ref, now: NOW });
    expect(await found(store, 'shared')).toEqual([keep.key]);
    await store.purgeThread(gone.key);
    for (const word of [...canaries, 'newcanary']) expect([word, await place.holding(word)]).toEqual([word, []]);
    expect(await found(store, 'shared')).toEqual([keep.key]);
  },

  'clears its index at the next start when nobody could before': async (opened) => {
    if (opened.store.capabilities.shared) return;
    const { thread } = await begin(opened.store, { ask: asking('Leftcanary') });
    await conversation(opened.store, { question: 'others' });
    expect(await found(opened.store, 'leftcanary')).toHaveLength(1);
    await opened.store.closeThread({ owner: ann, ref: { id: thread.id }, now: NOW });
    await opened.store.close();
    expect(await opened.place.holding('leftcanary')).not.toEqual([]);
    opened.store = await opened.open();
    await opened.store.purgeThread(null);
    expect(await opened.place.holding('leftcanary')).toEqual([]);
    expect(await found(opened.store, 'others')).toHaveLength(1);
  },

  'finds the same as a look at every text would, whatever was added and deleted in between': async ({ store, place }) => {
    const random = pseudoRandom();
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const vocabulary = Array.from({ length: 60 }, (_, index) => pick(['alpha', 'beta', 'gamma', 'delta', '東京', 'ü']) + index);
    const texts = new Map<ThreadKey, { ref: { id: NewThread['id'] }; owner: typeof ann; all: string[] }>();
    const open = () => [...texts.values()];
    for (let step = 0; step < 120; step += 1) {
      const text = Array.from({ length: 1 + Math.floor(random() * 12) }, () => pick(vocabulary)).join(' ');
      const owner = pick([ann, bob]);
      const own = open().filter((thread) => thread.owner === owner);
      if (own.length > 0 && random() < 0.15) {
        const { ref } = pick(own);
        const closed = await store.closeThread({ owner, ref, now: NOW });
        await store.purgeThread(closed?.thread.key ?? null);
        texts.delete(closed?.thread.key as ThreadKey);
      } else if (own.length > 0 && random() < 0.6) {
        const { ref, all } = pick(own);
        await turn(store, { owner, thread: { ref }, ask: asking(text) }, `${text} answered`);
        all.push(text, `${text} answered`);
      } else {
        const create = newThread({ title: text });
        await store.createThread({ owner, now: NOW, thread: create, idempotency: null });
        texts.set(create.key, { ref: { id: create.id }, owner, all: [text] });
      }
      if (step % 8 > 0) continue;
      const query = `${pick(vocabulary)} ${pick(vocabulary).slice(0, 4)}`;
      const wanted = searchWordsOf(query);
      const fits = (one: string) => {
        const words = [...wordsOf(one)];
        return wanted.every(({ text: word, prefix }) => words.some((has) => has === word || (prefix && has.startsWith(word))));
      };
      const expected = [...texts].filter(([, thread]) => thread.owner === owner && thread.all.some(fits)).map(([key]) => key);
      expect((await found(store, query, { owner })).toSorted()).toEqual(expected.toSorted());
    }
    for (const { ref, owner } of texts.values()) await store.closeThread({ owner, ref, now: NOW });
    await store.purgeThread(null);
    for (const word of ['alpha', 'answered', '東京']) expect([word, await place.holding(word)]).toEqual([word, []]);
  },

  'takes texts of any length and kind': async ({ store }) => {
    const long = Array.from({ length: 20_000 }, (_, index) => `word${index}`).join(' ');
    const han = Array.from({ length: 100_000 }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7_919) % 20_000))).join('');
    const odd = '\u{1F9DF}‍♂️ \u{10FFFF} \u{E000}x \uFFFD \u200B a\u0301\u0301 ﷽ 0x7f \u2028 İıſ \u{1E921}';
    const made = [
      await conversation(store, { question: long, answer: han }),
      await conversation(store, { question: 'y'.repeat(100_000), answer: odd }),
    ];
    const [first, second] = made.map(({ key }) => key);
    expect(await found(store, 'word42 word1000')).toEqual([first]);
    expect(await found(store, `${han.slice(0, 5)} `)).toEqual([first]);
    for (const query of ['y'.repeat(1_000), 'yyy', odd, '0x7f', 'iis', '\u{1E943}'])
      expect([query, await found(store, query)]).toEqual([query, [second]]);
  },
};

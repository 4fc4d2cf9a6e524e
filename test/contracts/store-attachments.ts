import { createHash, randomInt } from 'node:crypto';
import { expect } from 'vitest';
import type { Attachment, Passage } from '../../src/core/attachment.ts';
import type { AttachmentId, ContentId } from '../../src/core/ids.ts';
import type { AddAttachment, NewContent } from '../../src/core/ports/attachment-store.ts';
import type { Store } from '../../src/core/ports/store.ts';
import type { Owner } from '../../src/core/principal.ts';
import type { Thread } from '../../src/core/thread.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, begin, bob, elsewhere, NOW, newId, newThread } from './store-fixtures.ts';

const HOUR = 3_600_000;
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

async function threadOf(store: Store, owner: Owner): Promise<Thread> {
  const made = await store.createThread({ owner, now: NOW, thread: newThread(), idempotency: null });
  if (made.kind === 'refused') throw new Error('The thread was refused.');
  return made.thread;
}

const passagesOf = (text: string): Passage[] =>
  text.split('|').map((part, index) => ({ position: index + 1, page: index + 1, text: part }));

/** Announces a content and writes its passages, one for each part of the text between bars. */
async function contentOf(store: Store, text: string): Promise<NewContent> {
  const id = newId<ContentId>();
  await store.announceContent({ id, now: NOW });
  await store.addPassages(id, passagesOf(text));
  const pageCount = passagesOf(text).length;
  return { id, digest: digestOf(text), size: 10, type: 'pdf', pageCount, characters: text.length, truncated: false };
}

interface Place {
  readonly owner?: Owner;
  readonly thread: Pick<Thread, 'id'>;
}

function adding(content: NewContent, { owner = ann, thread }: Place, but: Partial<AddAttachment> = {}): AddAttachment {
  const attachment = { id: newId<AttachmentId>(), number: randomInt(1, 2 ** 47), name: 'a.pdf' };
  return { owner, ref: { id: thread.id }, now: NOW, attachment, content, most: 100, mostBytes: 10_000, idempotency: null, ...but };
}

async function addFile(store: Store, text: string, { owner = ann, thread }: Place): Promise<Attachment> {
  const added = await store.addAttachment(adding(await contentOf(store, text), { owner, thread }));
  if (added.kind !== 'added') throw new Error(`Expected a file, got ${JSON.stringify(added)}.`);
  return added.attachment;
}

const textsOf = (passages: readonly Passage[]) => passages.map(({ text }) => text);
const strays = (store: Store, announcedBefore = NOW) => store.strayContents({ announcedBefore, limit: 99 });

export const attachmentCases: StoreCases = {
  'keeps a file with what is known of it, and its text in order': async ({ store }) => {
    const thread = await threadOf(store, ann);
    const content = { ...(await contentOf(store, 'one|"two" \u{1f600}|three')), size: 7, truncated: true, pageCount: 9 };
    const input = adding(content, { thread });
    const result = await store.addAttachment(input);
    const expected: Attachment = {
      ...input.attachment,
      threadId: thread.id,
      threadNumber: thread.number,
      ...{ size: 7, type: 'pdf', digest: content.digest, contentId: content.id, pageCount: 9, truncated: true },
      characters: content.characters,
      createdAt: NOW,
    };
    expect(result).toEqual({ kind: 'added', attachment: expected });
    expect(await store.findAttachment(ann, { id: expected.id })).toEqual(expected);
    expect(await store.findAttachment(ann, { number: expected.number })).toEqual(expected);
    expect(await store.attachmentsOf(thread.key)).toEqual([expected]);
    expect(await store.readPassages(content.id, { after: 0, limit: 2 })).toEqual(passagesOf('one|"two" \u{1f600}'));
    expect(textsOf(await store.readPassages(content.id, { after: 2, limit: 2 }))).toEqual(['three']);
    expect(textsOf(await store.findPassages(content.id, [3, 1, 77]))).toEqual(['one', 'three']);
    expect(await strays(store, NOW + HOUR)).toEqual([]);
  },

  'shows files, their number and their thread to nobody else': async ({ store }) => {
    const thread = await threadOf(store, ann);
    const { id, number } = await addFile(store, 'secret', { thread });
    for (const stranger of [bob, elsewhere]) {
      expect(await store.findAttachment(stranger, { id })).toBeNull();
      expect(await store.findAttachment(stranger, { number })).toBeNull();
      expect(await store.listAttachments(stranger, { id: thread.id }, { limit: 9, after: null })).toBeNull();
      expect(await store.removeAttachment({ owner: stranger, id, now: NOW })).toBeNull();
      const intruding = await store.addAttachment(adding(await contentOf(store, 'x'), { owner: stranger, thread }));
      expect(intruding).toEqual({ kind: 'refused', reason: 'thread_not_found' });
    }
    expect(await store.findAttachment(ann, { id })).not.toBeNull();
  },

  'lists the files of a thread page by page, newest first': async ({ store }) => {
    const thread = await threadOf(store, ann);
    const other = await addFile(store, 'elsewhere', { thread: await threadOf(store, ann) });
    for (const text of ['a', 'b', 'c']) await addFile(store, text, { thread });
    const page = async (after: AttachmentId | null) => (await store.listAttachments(ann, { id: thread.id }, { limit: 2, after })) ?? [];
    const first = await page(null);
    const second = await page(first[1]?.id ?? null);
    const all = [...first, ...second].map(({ digest }) => digest);
    expect(all).toEqual(['c', 'b', 'a'].map(digestOf));
    expect(await page(other.id)).toEqual([]);
    expect(await page(newId())).toEqual([]);
  },

  'gives files of one owner with the same bytes one content, and those of others their own': async ({ store }) => {
    const [one, two] = [await threadOf(store, ann), await threadOf(store, ann)];
    const first = await addFile(store, 'same', { thread: one });
    const again = await addFile(store, 'same', { thread: two });
    const foreign = await addFile(store, 'same', { owner: bob, thread: await threadOf(store, bob) });
    const far = await addFile(store, 'same', { owner: elsewhere, thread: await threadOf(store, elsewhere) });
    expect(again.contentId).toBe(first.contentId);
    expect(new Set([first, foreign, far].map(({ contentId }) => contentId)).size).toBe(3);
    const [superfluous] = await strays(store, NOW + 1);
    expect(await strays(store, NOW + 1)).toHaveLength(1);
    expect(await store.forgetContents([superfluous as ContentId, first.contentId])).toBe(true);
    expect(await store.forgetContents([superfluous as ContentId])).toBe(false);
    expect(textsOf(await store.readPassages(first.contentId, { after: 0, limit: 9 }))).toEqual(['same']);
  },

  'keeps the same bytes apart where they are taken for another kind of document': async ({ store }) => {
    const thread = await threadOf(store, ann);
    const kinds = ['text', 'markdown', 'text'] as const;
    const ids: ContentId[] = [];
    for (const type of kinds) {
      const added = await store.addAttachment(adding({ ...(await contentOf(store, '# same')), type }, { thread }));
      if (added.kind !== 'added') throw new Error(`Expected a file, got ${JSON.stringify(added)}.`);
      expect(added.attachment.type).toBe(type);
      ids.push(added.attachment.contentId);
    }
    expect(new Set(ids).size).toBe(2);
    expect(ids[2]).toBe(ids[0]);
  },

  'finds again what was announced and never added': async ({ store }) => {
    const { id } = await contentOf(store, 'left behind');
    expect(await strays(store, NOW)).toEqual([]);
    expect(await strays(store, NOW + 1)).toEqual([id]);
    expect(await store.forgetContents([id])).toBe(true);
    expect(await store.readPassages(id, { after: 0, limit: 9 })).toEqual([]);
    const thread = await threadOf(store, ann);
    const late = { id, digest: digestOf('x'), size: 1, type: 'text', pageCount: 1, characters: 1, truncated: false } as const;
    expect(await store.addAttachment(adding(late, { thread }))).toEqual({ kind: 'refused', reason: 'content_gone' });
    expect(await store.attachmentsOf(thread.key)).toEqual([]);
  },

  "keeps a content until its owner's last file with it goes": async ({ store, place }) => {
    const [one, two] = [await threadOf(store, ann), await threadOf(store, ann)];
    const first = await addFile(store, 'kEpTlOnG', { thread: one });
    const second = await addFile(store, 'kEpTlOnG', { thread: two });
    await store.forgetContents(await strays(store, NOW + 1));
    expect(await store.removeAttachment({ owner: ann, id: first.id, now: NOW })).toEqual(first);
    expect(await store.removeAttachment({ owner: ann, id: first.id, now: NOW })).toBeNull();
    expect(await strays(store)).toEqual([]);
    expect(textsOf(await store.readPassages(second.contentId, { after: 0, limit: 9 }))).toEqual(['kEpTlOnG']);
    expect(await store.removeAttachment({ owner: ann, id: second.id, now: NOW })).toEqual(second);
    expect(await strays(store)).toEqual([second.contentId]);
    expect(await place.holding('kEpTlOnG')).toEqual([]);
    await store.forgetContents([second.contentId]);
    expect(await strays(store, NOW + HOUR)).toEqual([]);
  },

  "goes with its thread, of which no word stays, unless another thread's file has the same bytes": async ({ store, place }) => {
    const [one, two] = [await threadOf(store, ann), await threadOf(store, ann)];
    const shared = await addFile(store, 'sHaReD', { thread: one });
    await addFile(store, 'sHaReD', { thread: two });
    const lone = await addFile(store, 'lOnE|wOrD', { thread: one });
    await store.forgetContents(await strays(store, NOW + 1));
    await store.closeThread({ owner: ann, ref: { id: one.id }, now: NOW });
    expect(await store.findAttachment(ann, { id: lone.id })).toBeNull();
    expect(await store.attachmentsOf(one.key)).toEqual([]);
    await store.purgeThread(one.key);
    expect(await strays(store)).toEqual([lone.contentId]);
    for (const word of ['lOnE', 'wOrD']) expect(await place.holding(word)).toEqual([]);
    expect(textsOf(await store.readPassages(shared.contentId, { after: 0, limit: 9 }))).toEqual(['sHaReD']);
  },

  'adds the same file once under an idempotency key, and forgets that with the file': async ({ store, place }) => {
    const thread = await threadOf(store, ann);
    const repeat = async (fingerprint: string, name = 'rEpEaTeD.pdf') => {
      const input = adding(await contentOf(store, 'once'), { thread }, { idempotency: { key: 'k', fingerprint } });
      return store.addAttachment({ ...input, attachment: { ...input.attachment, name } });
    };
    const first = await repeat('f');
    expect(await repeat('f')).toEqual({ ...first, kind: 'replayed' });
    expect(await repeat('g')).toEqual({ kind: 'refused', reason: 'idempotency_mismatch' });
    const [file] = await store.attachmentsOf(thread.key);
    await store.removeAttachment({ owner: ann, id: file?.id as AttachmentId, now: NOW });
    expect(await place.holding('rEpEaTeD')).toEqual([]);
    expect(await repeat('g')).toMatchObject({ kind: 'added' });
  },

  'lets a thread hold so many files, exactly': async ({ store }) => {
    const thread = await threadOf(store, ann);
    const inputs = [];
    for (let file = 0; file < 6; file += 1) inputs.push(adding(await contentOf(store, `file ${file}`), { thread }, { most: 3 }));
    const results = await Promise.all(inputs.map((input) => store.addAttachment(input)));
    expect(results.filter(({ kind }) => kind === 'added')).toHaveLength(3);
    expect(results.filter((result) => result.kind === 'refused' && result.reason === 'too_many')).toHaveLength(3);
  },

  'lets the files of a user take so many bytes, those of the same bytes once': async ({ store }) => {
    const [thread, other] = [await threadOf(store, ann), await threadOf(store, ann)];
    const add = async (text: string, place: Place) => store.addAttachment(adding(await contentOf(store, text), place, { mostBytes: 25 }));
    for (const text of ['one', 'two']) expect(await add(text, { thread })).toMatchObject({ kind: 'added' });
    const refused = { kind: 'refused', reason: 'too_many_bytes' };
    for (const place of [{ thread }, { thread: other }]) expect(await add('three', place)).toEqual(refused);
    const again = await add('one', { thread: other });
    expect(again).toMatchObject({ kind: 'added' });
    expect(await add('three', { owner: bob, thread: await threadOf(store, bob) })).toMatchObject({ kind: 'added' });
    const [two] = await store.attachmentsOf(thread.key);
    await store.removeAttachment({ owner: ann, id: two?.id as AttachmentId, now: NOW });
    expect(await add('three', { thread })).toMatchObject({ kind: 'added' });
  },

  'of many files with the same bytes at once all share one content, whatever goes meanwhile': async ({ store }) => {
    const thread = await threadOf(store, ann);
    const inputs = [];
    for (let file = 0; file < 8; file += 1) inputs.push(adding(await contentOf(store, 'crowd'), { thread }));
    const early = await addFile(store, 'crowd', { thread });
    await Promise.all([
      ...inputs.map((input) => store.addAttachment(input)),
      store.removeAttachment({ owner: ann, id: early.id, now: NOW }),
    ]);
    const files = await store.attachmentsOf(thread.key);
    expect(files).toHaveLength(8);
    expect(new Set(files.map(({ contentId }) => contentId)).size).toBe(1);
    expect(textsOf(await store.readPassages(files[0]?.contentId as ContentId, { after: 0, limit: 9 }))).toEqual(['crowd']);
    expect(await strays(store)).not.toContain(files[0]?.contentId);
  },

  'tells a run whether its thread has files, and other devices that it changed': async ({ store }) => {
    const { run, thread } = await begin(store);
    const ref = { id: thread.id };
    const place = { threadKey: thread.key, messageId: run.messageId, limit: 9, maxChars: 1_000 };
    expect((await store.contextOf(place)).hasFiles).toBe(false);
    const before = (await store.lastThreadEvent(ann, ref)) ?? 0;
    const file = await addFile(store, 'text', { thread });
    expect((await store.contextOf(place)).hasFiles).toBe(true);
    await store.removeAttachment({ owner: ann, id: file.id, now: NOW });
    expect((await store.contextOf(place)).hasFiles).toBe(false);
    const events = await store.listThreadEvents(ann, ref, { after: before, limit: 9 });
    expect(events?.map(({ type }) => type)).toEqual(['thread.changed', 'thread.changed']);
  },
};

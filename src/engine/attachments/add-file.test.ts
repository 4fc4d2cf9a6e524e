import { expect, test } from 'vitest';
import { annCalling, stubThread } from '../../../test/support/stub-engine.ts';
import type { ApplicationId } from '../../core/ids.ts';
import { ExtractionError, type Extractor } from '../../core/ports/extractor.ts';
import { createAddFile } from './add-file.ts';

const never = () => Promise.reject(new Error('Nothing may be kept of a file that is not added.'));
const content = async function* () {};

/** Receives files whose text this gets; nothing may be kept of them. */
function setUp(extract: Extractor['extract']) {
  const discarded: string[] = [];
  const add = createAddFile({
    store: { announceContent: never, addPassages: never, addAttachment: never },
    blobs: { receive: async () => ({ path: '/none', size: 5, digest: 'd', discard: async () => void discarded.push('d') }), keep: never },
    extractor: { detect: async () => 'text', extract, close: never },
    ids: { uuid: () => expect.fail(), number: () => 1 },
    clock: { now: () => 0 },
    strays: { removeOne: never },
    userBytes: 1_000_000,
  });
  return { add, discarded };
}

test('a file whose sender left while it was read is not added', async () => {
  const sender = new AbortController();
  const { add, discarded } = setUp(async () => {
    sender.abort(new Error('The upload broke off.'));
    return { pages: ['hello'], pageCount: 1, truncated: false };
  });
  const adding = add({ owner: annCalling, thread: stubThread, name: 'a.txt', content: content(), signal: sender.signal });
  await expect(adding).rejects.toThrow('The upload broke off.');
  expect(discarded).toEqual(['d']);
});

test('files wait to be read in a line for each user', async () => {
  const lines: (string | undefined)[] = [];
  const { add } = setUp(async ({ owner }) => {
    lines.push(owner);
    throw new ExtractionError('damaged');
  });
  const { signal } = new AbortController();
  const others = [{ userId: 'bob' }, { applicationId: 'other' as ApplicationId }, {}];
  for (const other of [{}, ...others]) {
    const owner = { ...annCalling, ...other };
    await expect(add({ owner, thread: stubThread, name: 'a.txt', content: content(), signal })).rejects.toMatchObject({
      code: 'file_unreadable',
    });
  }
  expect(new Set(lines).size).toBe(3);
  expect(lines.at(-1)).toBe(lines[0]);
});

import { hasPages, MAX_FILES_PER_THREAD, type SourcePassage } from '../../../core/attachment.ts';
import type { AttachmentStore } from '../../../core/ports/attachment-store.ts';
import type { PassageSearch } from '../../../core/ports/passage-search.ts';
import { createLabels, type LabelOf } from './labels.ts';
import { termsOf } from './question-terms.ts';
import { scoresOf } from './rank.ts';
import { createScan, type Seen } from './scan.ts';

/** Code units of passages that are kept while they are ranked; what lies beyond is read again when it is among the best. */
const KEEP = 400_000;

/** Searches a thread's files as the model asks for it, ranked as for a question. */
export function createPassageSearch(store: Pick<AttachmentStore, 'listAttachments' | 'readPassages' | 'findPassages'>): PassageSearch {
  const scan = createScan(store);

  async function sourceOf({ file, position, page, text }: Seen, labelOf: LabelOf): Promise<readonly SourcePassage[]> {
    const found = text ?? (await store.findPassages(file.contentId, [position]))[0]?.text;
    // Its file may have been removed meanwhile.
    if (found === undefined) return [];
    return [{ label: labelOf(file, page), fileId: file.id, name: file.name, page: hasPages(file.type) ? page : null, text: found }];
  }

  return async ({ owner, threadId, query, limit, signal }) => {
    const files = (await store.listAttachments(owner, { id: threadId }, { limit: MAX_FILES_PER_THREAD, after: null })) ?? [];
    const terms = termsOf(query);
    if (files.length === 0 || terms.length === 0) return [];
    const seen = await scan({ files, terms, keep: KEEP, signal });
    const scores = scoresOf(seen, terms);
    const ranked = seen.map((passage, index) => ({ passage, score: scores[index] ?? 0 })).filter(({ score }) => score > 0);
    const best = ranked.sort((one, other) => other.score - one.score).slice(0, limit);
    const labelOf = createLabels(files);
    const sources = await Promise.all(best.map(({ passage }) => sourceOf(passage, labelOf)));
    return sources.flat();
  };
}

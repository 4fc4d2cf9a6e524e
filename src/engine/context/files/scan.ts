import type { Attachment, Passage } from '../../../core/attachment.ts';
import type { AttachmentStore } from '../../../core/ports/attachment-store.ts';
import type { Term } from './question-terms.ts';
import { type Counted, countTerms } from './rank.ts';

/** A passage with its file, as far as it was looked at. */
export interface Seen extends Counted {
  readonly file: Attachment;
  readonly position: number;
  readonly page: number;
  /** Null for a passage behind those that were to be kept. */
  readonly text: string | null;
}

interface Scan {
  readonly files: readonly Attachment[];
  readonly terms: readonly Term[];
  /** Texts are kept up to so many code units in all. */
  readonly keep: number;
  readonly signal: AbortSignal;
}

/** Looks through all passages of files. */
export type ScanPassages = (scan: Scan) => Promise<readonly Seen[]>;

/** At most an eighth of a million code units, which are looked through in about a millisecond. */
const PASSAGES_PER_STEP = 32;

/** Makes a scan of one question at a time, a few passages in a turn of the event loop, so that however many ask it holds up nobody for long. */
export function createScan(store: Pick<AttachmentStore, 'readPassages'>): ScanPassages {
  let latest: Promise<unknown> = Promise.resolve();
  return (scan) => {
    const scanning = latest.then(() => scanAll(store, scan));
    latest = scanning.catch(() => undefined);
    return scanning;
  };
}

async function scanAll(store: Pick<AttachmentStore, 'readPassages'>, { files, terms, keep, signal }: Scan): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  let left = keep;
  const look = (file: Attachment, named: readonly number[], { position, page, text }: Passage): void => {
    left -= text.length;
    const counts = countTerms(text, terms).map((count, term) => count + (named[term] ?? 0));
    seen.push({ file, position, page, length: text.length, counts, text: left >= 0 ? text : null });
  };
  for (const file of files) {
    // Whoever names a file means what is in it.
    const named = countTerms(file.name, terms);
    for (let after = 0; ; ) {
      signal.throwIfAborted();
      const passages = await store.readPassages(file.contentId, { after, limit: PASSAGES_PER_STEP });
      for (const passage of passages) look(file, named, passage);
      const last = passages.at(-1);
      if (last === undefined || passages.length < PASSAGES_PER_STEP) break;
      after = last.position;
    }
  }
  return seen;
}

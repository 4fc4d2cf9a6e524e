import { AppError } from '../core/errors.ts';

/** Nobody knows when a reader leaves: so long it makes sense to wait. */
const RETRY_MS = 5_000;

/** Counts the streams that are open on each subject. */
export interface ReaderBound {
  /** Admits one more; the function it returns lets it go. Throws `too_many_readers`. */
  admit(subject: string): () => void;
}

export function createReaderBound(max: number): ReaderBound {
  const readers = new Map<string, number>();
  return {
    admit(subject) {
      const count = readers.get(subject) ?? 0;
      if (count >= max) {
        throw readersExceeded(max);
      }
      readers.set(subject, count + 1);
      return () => {
        const left = (readers.get(subject) ?? 1) - 1;
        if (left > 0) readers.set(subject, left);
        else readers.delete(subject);
      };
    },
  };
}

/** Says that as many streams are open on a subject as may be. */
export function readersExceeded(max: number): AppError {
  const rate = { name: 'readers', limit: max, remaining: 0, resetMs: RETRY_MS };
  return new AppError('too_many_readers', `At most ${max} streams may be open here at a time.`, { rate });
}

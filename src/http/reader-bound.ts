import { AppError } from '../core/errors.ts';

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
      if (count >= max) throw new AppError('too_many_readers', `At most ${max} streams may be open here at a time.`);
      readers.set(subject, count + 1);
      return () => {
        const left = (readers.get(subject) ?? 1) - 1;
        if (left > 0) readers.set(subject, left);
        else readers.delete(subject);
      };
    },
  };
}

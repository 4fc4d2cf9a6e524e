import { wordsOf } from '../../../core/search-words.ts';
import { partitionOf } from './search-partition.ts';

/** The words of a text of a user's as they stand in the index, with spaces between them. */
export function indexWords(userId: string, text: string): string {
  const words = [...wordsOf(text)];
  const partition = partitionOf(userId);
  return words.length === 0 ? '' : partition + words.join(` ${partition}`);
}

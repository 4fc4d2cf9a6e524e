import { wordsOf } from '../../../core/search-words.ts';
import { partitionOf } from './search-partition.ts';

/** The words of a text of a user's as they stand in the index. */
export function indexWords(userId: string, text: string): readonly string[] {
  const partition = partitionOf(userId);
  return Array.from(wordsOf(text), (word) => partition + word);
}

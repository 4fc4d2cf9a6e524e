import { AppError } from '../core/errors.ts';
import { type SearchWord, searchWordsOf } from '../core/search-words.ts';
import type { QueryReader } from './query.ts';

const LONGEST_QUERY = 1_000;
const MOST_WORDS = 64;

/**
 * Reads what a list is searched for: at most 1,000 characters and 64 words, a text in a script without spaces counting by its characters. Null
 * when there is nothing but white space, empty when there is no word in it. `validation_failed` beyond the bounds.
 */
export function readSearch(reader: QueryReader, name: string): readonly SearchWord[] | null {
  const text = reader.text(name, LONGEST_QUERY);
  if (text === null || text.trim() === '') return null;
  const words = searchWordsOf(text);
  if (words.length <= MOST_WORDS) return words;
  const message = `must have at most ${MOST_WORDS} words`;
  throw new AppError('validation_failed', `${name} ${message}.`, { fields: [{ path: [name], message, keyword: 'maxWords' }] });
}

import { AppError } from '../core/errors.ts';
import type { QueryReader } from './query.ts';

const LONGEST_TAG = 255;
const MOST_TAGS = 20;

/** Reads the tags that a list is filtered by, each a parameter of that name; an empty one is none. `validation_failed` for more than 20. */
export function readTags(reader: QueryReader, name = 'tags'): readonly string[] {
  const tags = [...new Set(reader.list(name, LONGEST_TAG))].filter((tag) => tag !== '');
  if (tags.length <= MOST_TAGS) return tags;
  const message = `must be given at most ${MOST_TAGS} times`;
  throw new AppError('validation_failed', `${name} ${message}.`, { fields: [{ path: [name], message, keyword: 'maxItems' }] });
}

import { AppError } from '../core/errors.ts';
import { foldedWords } from '../core/folded-text.ts';
import type { PromptListing } from '../engine/index.ts';
import type { QueryReader } from './query.ts';

const MAX_CONTENT = 100_000;
const MAX_DESCRIPTION = 2_000;
const MAX_METADATA_BYTES = 16_384;
const MAX_VARIABLES = 100;
const MAX_VALUE = 200_000;
const MAX_SEARCH = 1_000;
const MAX_WORDS = 20;

const metadata = { type: 'object', maxProperties: 64 } as const;

/** What a prompt's fields may hold, in characters. */
export const promptFields = {
  title: { type: 'string', minLength: 1, maxLength: 255 },
  content: { type: 'string', minLength: 1, maxLength: MAX_CONTENT },
  scenario: { type: 'string', minLength: 1, maxLength: 100 },
  description: { type: 'string', maxLength: MAX_DESCRIPTION },
  metadata,
} as const;

/** What stands for placeholders: nothing that has parts of its own. */
export const variablesSchema = {
  type: 'object',
  maxProperties: MAX_VARIABLES,
  additionalProperties: { type: ['string', 'number', 'boolean'], maxLength: MAX_VALUE },
} as const;

/** Refuses metadata of more than 16 KB as JSON. */
export function checkPromptMetadata(value: unknown): void {
  if (value === undefined || Buffer.byteLength(JSON.stringify(value)) <= MAX_METADATA_BYTES) return;
  throw unfit('metadata', `must have at most ${MAX_METADATA_BYTES} bytes as JSON`);
}

/** Reads `scenario`, `include_templates` (true unless given) and the words to search for; an empty one does not filter. */
export function readPromptFilter(reader: QueryReader, searchName: string): Omit<PromptListing, 'limit'> {
  const scenario = reader.text('scenario', promptFields.scenario.maxLength) ?? '';
  const words = foldedWords(reader.text(searchName, MAX_SEARCH) ?? '');
  if (words.length > MAX_WORDS) throw unfit(searchName, `must have at most ${MAX_WORDS} words`);
  return {
    includeTemplates: reader.flag('include_templates') ?? true,
    ...(scenario !== '' && { scenario }),
    ...(words.length > 0 && { words }),
  };
}

function unfit(name: string, message: string): AppError {
  return new AppError('validation_failed', `${name} ${message}.`, { fields: [{ path: [name], message, keyword: 'length' }] });
}

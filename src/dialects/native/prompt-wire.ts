import type { PromptContent } from '../../core/prompt.ts';
import { type Static, Type } from '../../core/schema.ts';
import type { JsonObject } from '../../core/thread.ts';
import type { PreviewPrompt, PromptListing, PromptVariables } from '../../engine/index.ts';
import { checkPromptMetadata, promptFields, readPromptFilter, variablesSchema } from '../../http/prompt-fields.ts';
import { createQueryReader } from '../../http/query.ts';
import { toPromptId } from './request.ts';
import { invalid } from './wire.ts';

const PAGE = { min: 1, max: 100, default: 20 };
const MAX_CURSOR = 200;
const strict = { additionalProperties: false };
const { title, content, scenario, description, metadata } = promptFields;
const descriptionOrNull = Type.Optional(Type.Unsafe<string | null>({ ...description, type: ['string', 'null'] }));
const metadataField = Type.Optional(Type.Unsafe<JsonObject>(metadata));

/** Body of POST `/prompts`. */
export const CreatePromptBody = Type.Object(
  {
    title: Type.Unsafe<string>(title),
    content: Type.Unsafe<string>(content),
    scenario: Type.Unsafe<string>(scenario),
    description: descriptionOrNull,
    metadata: metadataField,
  },
  strict,
);
export type CreatePromptBody = Static<typeof CreatePromptBody>;

/** Body of PATCH `/prompts/{id}`: what is left out stays. */
export const ChangePromptBody = Type.Partial(CreatePromptBody, strict);
export type ChangePromptBody = Static<typeof ChangePromptBody>;

/** Body of POST `/prompts/preview`. */
export const PreviewPromptBody = Type.Object(
  {
    prompt_id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    content: Type.Optional(Type.Unsafe<string>(content)),
    variables: Type.Optional(Type.Unsafe<PromptVariables>(variablesSchema)),
  },
  strict,
);
export type PreviewPromptBody = Static<typeof PreviewPromptBody>;

/** A new prompt; `validation_failed` for metadata that is too large. */
export function readNewPrompt({ description = null, metadata = {}, ...body }: CreatePromptBody): PromptContent {
  checkPromptMetadata(metadata);
  return { ...body, description, metadata };
}

/** What the body names; `validation_failed` for metadata that is too large. */
export function readPromptChanges(body: ChangePromptBody): Partial<PromptContent> {
  checkPromptMetadata(body.metadata);
  return body;
}

/** What is to be previewed: exactly one of the two forms. */
export function readPreviewed({ prompt_id, content }: PreviewPromptBody): PreviewPrompt['prompt'] {
  if (prompt_id !== undefined && content === undefined) return { ref: toPromptId(prompt_id) };
  if (content !== undefined && prompt_id === undefined) return { content };
  throw invalid('prompt_id', 'or content must be given, and only one of them');
}

/** The query of a list, its cursor still to be read. */
export interface PageQuery {
  readonly limit: number;
  readonly cursor: string | null;
}

/** The query of GET `/prompts`. */
export function readPromptsQuery(query: unknown): PromptListing & PageQuery {
  return { ...readPromptFilter(createQueryReader(query), 'q'), ...readPage(query) };
}

/** `limit` and `cursor` of a list. */
export function readPage(query: unknown): PageQuery {
  const reader = createQueryReader(query);
  return { limit: reader.integer('limit', PAGE), cursor: reader.text('cursor', MAX_CURSOR) };
}

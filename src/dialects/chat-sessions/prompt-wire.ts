import { AppError } from '../../core/errors.ts';
import type { PromptContent } from '../../core/prompt.ts';
import { type Static, Type } from '../../core/schema.ts';
import type { JsonObject } from '../../core/thread.ts';
import type { PreviewPrompt, PromptListing, PromptVariables } from '../../engine/index.ts';
import { checkPromptMetadata, promptFields, readPromptFilter, variablesSchema } from '../../http/prompt-fields.ts';
import { createQueryReader } from '../../http/query.ts';
import { readNumber } from './wire.ts';

const PAGE = { min: 1, max: 2_147_483_647, default: 1 };
const PAGE_SIZE = { min: 1, max: 100, default: 20 };
const { title, content, scenario, description, metadata } = promptFields;
const nullable = { nullable: true } as const;
const textOrNull = (schema: object) => Type.Optional(Type.Unsafe<string | null>({ ...schema, ...nullable }));
const metadataOrNull = Type.Optional(Type.Unsafe<JsonObject | null>({ ...metadata, ...nullable }));

/** Body of POST `/prompts`. A field that is null counts as left out, here and below. */
export const CreatePromptBody = Type.Object({
  title: Type.Unsafe<string>(title),
  content: Type.Unsafe<string>(content),
  scenario: Type.Unsafe<string>(scenario),
  description: textOrNull(description),
  metadata: metadataOrNull,
});
export type CreatePromptBody = Static<typeof CreatePromptBody>;

/** Body of PUT `/prompts/{id}`: what is left out stays. */
export const ChangePromptBody = Type.Object({
  title: textOrNull(title),
  content: textOrNull(content),
  scenario: textOrNull(scenario),
  description: textOrNull(description),
  metadata: metadataOrNull,
});
export type ChangePromptBody = Static<typeof ChangePromptBody>;

/** Body of POST `/prompts/preview`. Of two the id counts. */
export const PreviewPromptBody = Type.Object({
  prompt_id: Type.Optional(Type.Unsafe<number | null>(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, ...nullable }))),
  content: textOrNull({ ...content, minLength: 0 }),
  variables: Type.Optional(Type.Unsafe<PromptVariables | null>({ ...variablesSchema, ...nullable })),
});
export type PreviewPromptBody = Static<typeof PreviewPromptBody>;

/** A new prompt; `validation_failed` for metadata that is too large. */
export function readNewPrompt(body: CreatePromptBody): PromptContent {
  checkPromptMetadata(body.metadata);
  return {
    title: body.title,
    content: body.content,
    scenario: body.scenario,
    description: body.description ?? null,
    metadata: body.metadata ?? {},
  };
}

/** The fields that are named; `validation_failed` for metadata that is too large. */
export function readPromptChanges(body: ChangePromptBody): Partial<PromptContent> {
  checkPromptMetadata(body.metadata);
  const { title, content, scenario, description, metadata } = body;
  return {
    ...(title != null && { title }),
    ...(content != null && { content }),
    ...(scenario != null && { scenario }),
    ...(description != null && { description }),
    ...(metadata != null && { metadata }),
  };
}

/** What is to be previewed; `request_invalid` when it is nothing. */
export function readPreviewed({ prompt_id, content }: PreviewPromptBody): PreviewPrompt['prompt'] {
  if (prompt_id != null) return { ref: { number: prompt_id } };
  if (content) return { content };
  throw new AppError('request_invalid', 'Either prompt_id or content must be provided');
}

/** The query of GET `/prompts`. */
export function readPromptsQuery(query: unknown): PromptListing & { readonly page: number } {
  const reader = createQueryReader(query);
  const page = reader.integer('page', PAGE);
  return { ...readPromptFilter(reader, 'search'), page, limit: reader.integer('page_size', PAGE_SIZE) };
}

/** Reads a prompt id from a path as `readSessionNumber` reads a session's. */
export function readPromptNumber(text: string): number {
  return readNumber('prompt_id', text);
}

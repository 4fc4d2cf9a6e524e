import { AppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/thread.ts';
import type { PromptVariables } from './prompts.ts';

/** In UTF-16 code units; as much as a message may have. */
const MAX_LENGTH = 200_000;
const MAX_NAME = 100;
const PLACEHOLDER = new RegExp(`\\{([^{}]{1,${MAX_NAME}})\\}`, 'g');

/**
 * A prompt with its placeholders filled: from `variables`, else from the defaults that `metadata.variables` names. Each value stands there as
 * it is and is not looked into again; a placeholder without one stays. Throws `validation_failed` when there is no text, or too much of it.
 */
export function renderPrompt(content: string, variables: PromptVariables, metadata: JsonObject = {}): string {
  const fill = (name: string) => textOf(own(variables, name)) ?? textOf(own(own(own(metadata, 'variables'), name), 'default'));
  let length = content.length;
  for (const [whole, name = ''] of content.matchAll(PLACEHOLDER)) length += (fill(name) ?? whole).length - whole.length;
  if (length > MAX_LENGTH) throw unfit(`must have at most ${MAX_LENGTH} characters`);
  const text = content.replace(PLACEHOLDER, (whole, name: string) => fill(name) ?? whole);
  if (text.trim() === '') throw unfit('must have a text');
  return text;
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as JsonObject)[name];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function unfit(message: string): AppError {
  const fields = [{ path: ['variables'], message: `with the prompt ${message}`, keyword: 'length' }];
  return new AppError('validation_failed', `The prompt with its variables ${message}.`, { fields });
}

import type { JsonObject } from '../../core/thread.ts';

/** JSON within JSON that a tool takes. */
const MAX_DEPTH = 64;

/** Arguments as the object they are, or what is wrong with them. A model that gives none means an empty object. */
export function readArguments(text: string): { readonly args: JsonObject } | { readonly problem: string } {
  if (text.trim() === '') return { args: {} };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { problem: 'they are not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: 'they are not a JSON object' };
  return depthOf(value) > MAX_DEPTH ? { problem: `they are nested more than ${MAX_DEPTH} deep` } : { args: value as JsonObject };
}

/** Level by level, because a deep value must not use up the stack. */
function depthOf(value: object): number {
  let depth = 0;
  for (let level: unknown[] = [value]; level.length > 0 && depth <= MAX_DEPTH; depth += 1) {
    level = level.flatMap((entry) => (typeof entry === 'object' && entry !== null ? Object.values(entry) : []));
    level = level.filter((entry) => typeof entry === 'object' && entry !== null);
  }
  return depth;
}

import { Ajv, type ErrorObject } from 'ajv';
import type { FastifyInstance } from 'fastify';

/** Nothing is converted, filled in or removed. */
const options = { coerceTypes: false, useDefaults: false, removeAdditional: false, strict: true, allowUnionTypes: true } as const;
/** A wrong value with more entries than this is told its first mistake only: finding half a million would hold everybody up. */
const THOROUGH_ENTRIES = 2_000;

/** True for what fits a schema, else what does not. */
export type BodyCheck = (data: unknown) => true | { readonly error: ReturnType<typeof findings> };

/** For a server that uses the checks below: what Fastify would load in their place takes megabytes. */
export const withoutCompilers = { compilersFactory: { buildValidator: () => unused, buildSerializer: () => unused } } as const;

function unused(): never {
  throw new Error('Schemas of this server are compiled by its own validator, and its answers have none.');
}

/** Makes a server check bodies against their schemas strictly and tell every mistake. */
export function useValidation(app: FastifyInstance): void {
  const compile = createBodyChecks();
  app.setValidatorCompiler<object>(({ schema }) => compile(schema));
}

/** Makes what turns schemas into checks, each of which is compiled when there is something to check: most of a server's are never used. */
export function createBodyChecks(): (schema: object) => BodyCheck {
  const quick = new Ajv(options);
  const thorough = new Ajv({ ...options, allErrors: true });
  return (schema) => (data: unknown) => {
    const isValid = quick.compile(schema);
    if (isValid(data)) return true;
    const first = isValid.errors ?? [];
    if (countEntries(data, THOROUGH_ENTRIES) >= THOROUGH_ENTRIES) return { error: findings(first) };
    const findAll = thorough.compile(schema);
    findAll(data);
    return { error: findings(findAll.errors ?? first) };
  };
}

function findings(errors: readonly ErrorObject[]) {
  return errors.map(({ keyword, instancePath, schemaPath, params, message }) => ({
    keyword,
    instancePath,
    schemaPath,
    params,
    message: message ?? '',
  }));
}

/** Entries of a value and all that is in it, counted up to about a limit. */
function countEntries(value: unknown, limit: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  const entries = Object.values(value);
  let count = entries.length;
  for (const entry of entries) {
    if (count >= limit) return count;
    count += countEntries(entry, limit - count);
  }
  return count;
}

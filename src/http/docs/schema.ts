/** A JSON Schema (draft 2020-12) as OpenAPI 3.1 and AsyncAPI 3.0 take it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** An object whose properties are all there, but those in `optional`. */
export function object(properties: Readonly<Record<string, JsonSchema>>, optional: Readonly<Record<string, JsonSchema>> = {}): JsonSchema {
  return { type: 'object', required: Object.keys(properties), properties: { ...properties, ...optional } };
}

export function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

/** A schema with a type, or null. */
export function orNull(schema: JsonSchema): JsonSchema {
  if (schema.type === undefined) return { anyOf: [schema, { type: 'null' }] };
  return { ...schema, type: [schema.type, 'null'].flat(), ...(Array.isArray(schema.enum) && { enum: [...schema.enum, null] }) };
}

/** One of these texts. */
export function oneOf(...values: readonly string[]): JsonSchema {
  return { type: 'string', enum: values };
}

/** Exactly this text. */
export function only(value: string): JsonSchema {
  return { type: 'string', const: value };
}

const NAME = 'x-name';

/** A schema that a document shows once, under this name, and refers to wherever it stands. */
export function named(name: string, schema: JsonSchema): JsonSchema {
  return { [NAME]: name, ...schema };
}

/** The same schema with references in place of what is named; `share` gives the reference. */
export function referring(schema: JsonSchema, share: (name: string, schema: JsonSchema) => object): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !(NAME in value)) return value;
    const { [NAME]: name, ...rest } = value;
    return share(String(name), rest);
  });
}

export const text: JsonSchema = { type: 'string' };
export const count: JsonSchema = { type: 'integer', minimum: 0 };
export const flag: JsonSchema = { type: 'boolean' };
export const uuid: JsonSchema = { type: 'string', format: 'uuid' };
export const time: JsonSchema = { type: 'string', format: 'date-time' };
/** Any JSON object. */
export const anyObject: JsonSchema = { type: 'object', additionalProperties: true };

/** A schema that validates requests, as a document shows it: `nullable`, which only the validator knows, becomes a type. */
export function toDocumented(schema: unknown): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('nullable' in value) || typeof value.nullable !== 'boolean') return value;
    const { nullable, ...rest } = value;
    return nullable ? orNull(rest) : rest;
  });
}

import type { Document } from './open-api.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Names under which schemas stand, and those that hold schemas by names of their own. */
const SCHEMAS = new Set(['schema', 'items', 'not', 'additionalProperties', 'x-frame-data']);
const SCHEMA_LISTS = new Set(['allOf', 'anyOf', 'oneOf']);
const SCHEMA_MAPS = new Set(['schemas', 'properties']);
/** Values that are data whatever they look like. */
const DATA = new Set(['example', 'examples', 'value', 'enum', 'default', 'requestBody', 'x-request']);

/** The same description for tools that read OpenAPI 3.0 only. */
export function toOpenApi30(document: Document): Document {
  const converted = convertHolder(document);
  const info = { ...(converted.info as Fields), license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' } };
  return { ...converted, openapi: '3.0.3', info };
}

/** Converts the schemas in something that is none itself. */
function convertHolder(holder: Fields, isMap = false): Fields {
  return mapValues(holder, (value, name) => {
    if (!isMap && SCHEMAS.has(name)) return convertIfSchema(value);
    if (name === 'schemas' && isFields(value)) return mapValues(value, convertIfSchema);
    if (name === 'requestBody' && isFields(value) && 'content' in value) return convertHolder(value);
    if (name === 'examples' && isFields(value)) return value;
    return !isMap && DATA.has(name) ? value : convertValue(value, MAPS.has(name));
  });
}

/** Names whose entries' names are free. */
const MAPS = new Set(['paths', 'responses', 'parameters', 'headers', 'content', 'links', 'securitySchemes']);

function convertValue(value: unknown, isMap: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => convertValue(item, false));
  return isFields(value) ? convertHolder(value, isMap) : value;
}

function convertIfSchema(value: unknown): unknown {
  return isFields(value) ? convertSchema(value) : value;
}

/** One schema of draft 2020-12 in the words of OpenAPI 3.0. */
function convertSchema(schema: Fields): Fields {
  if ('$ref' in schema) return Object.keys(schema).length === 1 ? schema : { ...without(schema, '$ref'), allOf: [{ $ref: schema.$ref }] };
  const nested = mapValues(schema, (value, name) => {
    if (SCHEMAS.has(name)) return convertIfSchema(value);
    if (SCHEMA_LISTS.has(name) && Array.isArray(value)) return value.map(convertIfSchema);
    return SCHEMA_MAPS.has(name) && isFields(value) ? mapValues(value, convertIfSchema) : value;
  });
  return convertNull(convertBounds(convertConst(nested)));
}

function convertConst(schema: Fields): Fields {
  const { const: only, examples, ...rest } = schema;
  const example = Array.isArray(examples) ? examples[0] : undefined;
  const converted = { ...rest, ...(example !== undefined && { example }) };
  return only === undefined ? converted : { ...converted, enum: [only] };
}

function convertBounds(schema: Fields): Fields {
  const { exclusiveMinimum, exclusiveMaximum, ...rest } = schema;
  return {
    ...rest,
    ...(typeof exclusiveMinimum === 'number' && { minimum: exclusiveMinimum, exclusiveMinimum: true }),
    ...(typeof exclusiveMaximum === 'number' && { maximum: exclusiveMaximum, exclusiveMaximum: true }),
  };
}

function convertNull(schema: Fields): Fields {
  const { type, anyOf, ...rest } = schema;
  if (Array.isArray(anyOf)) {
    const others = anyOf.filter((item) => !(isFields(item) && isNullOnly(item)));
    return others.length === anyOf.length ? { ...schema } : { ...rest, anyOf: others, nullable: true };
  }
  if (type === 'null') return { ...rest, enum: [null], nullable: true };
  if (!Array.isArray(type)) return schema;
  const types = type.filter((name) => name !== 'null');
  const nullable = types.length < type.length && { nullable: true };
  if (types.length === 1) return { ...rest, type: types[0], ...nullable };
  return { ...rest, anyOf: types.map((name) => ({ type: name, ...nullable })) };
}

function isNullOnly(schema: Fields): boolean {
  return schema.type === 'null';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapValues(fields: Fields, change: (value: unknown, name: string) => unknown): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, change(value, name)]));
}

function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
}

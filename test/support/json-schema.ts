import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** A JSON object whose fields a test looks at. */
export type Json = Readonly<Record<string, unknown>>;

const formats = {
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/,
};

/** Whether a value is an object with fields. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same value with what its references within `document` point at in their place; it must not contain itself. */
export function dereference(value: unknown, document: Json): unknown {
  if (Array.isArray(value)) return value.map((item) => dereference(item, document));
  if (!isJson(value)) return value;
  if (typeof value.$ref === 'string') return dereference(at(document, value.$ref), document);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, dereference(item, document)]));
}

/** What a JSON pointer with a `#` before it points at (RFC 6901). */
export function at(document: unknown, pointer: string): unknown {
  const steps = pointer.replace(/^#\/?/, '').split('/').filter(Boolean);
  let value = document;
  for (const step of steps) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!(isJson(value) || Array.isArray(value)) || !Object.hasOwn(value, name)) throw new Error(`There is nothing at ${pointer}`);
    value = (value as Json)[name];
  }
  return value;
}

const ajv = new Ajv2020({ strict: false, allErrors: true, formats });
const compiled = new Map<string, ValidateFunction>();

/** What does not fit a schema without references, in one line per mistake; objects may have no other fields than it names. */
export function misfits(schema: unknown, value: unknown): readonly string[] {
  const text = JSON.stringify(closed(schema));
  const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object);
  compiled.set(text, validate);
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
}

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isJson(schema)) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([name, item]) => [name, closed(item)]));
  return isJson(schema.properties) && schema.type === 'object' ? { additionalProperties: false, ...inner } : inner;
}

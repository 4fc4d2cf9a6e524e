/** A value as it goes to the server: a text, bytes or null. */
export type Parameter = string | Buffer | null;

/** The form of a value that a query has; lists are of texts. */
export function parameterOf(value: unknown): Parameter {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return String(value);
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      if (Array.isArray(value)) return `{${value.map(quoted).join()}}`;
  }
  throw new Error(`A query cannot have a value of the type ${typeof value}.`);
}

function quoted(text: unknown): string {
  return `"${String(text).replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Stands in no id and in no JSON text, so that lists of them need no quotes: to write and read those costs more than the rest. */
const SEPARATOR = '\x1e';

/** Texts as one parameter, for `textsAt`. */
export function joined(texts: readonly string[]): string {
  return texts.join(SEPARATOR);
}

/** SQL for the texts that `joined` made one parameter of; an empty text alone is none. */
export function textsAt(place: number): string {
  return `string_to_array($${place}, E'\\x1e')`;
}

/** Numbers as one parameter, for `bigint[]`. */
export function listed(numbers: readonly number[]): string {
  return `{${numbers.join()}}`;
}

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

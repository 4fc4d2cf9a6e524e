import { isBaseMessage, mapStoredMessagesToChatMessages, RemoveMessage, type StoredMessage } from '@langchain/core/messages';

/** Stands before what JSON has no form for. */
const TAG = '$';
const MAX_DEPTH = 200;

/**
 * A graph's state as JSON text. Only messages come back as instances of a class, by LangChain's own table of message types: text in a state
 * that looks like a serialised object stays text.
 */
export function encodeState(value: unknown): string {
  return JSON.stringify(encode(value, 0));
}

/** Reads back what `encodeState` made. */
export function decodeState(json: string): unknown {
  return decode(JSON.parse(json));
}

function encode(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new RangeError('The state of a graph is nested too deeply, or contains itself');
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { [TAG]: 'number', v: Object.is(value, -0) ? '-0' : String(value) };
    case 'bigint':
      return { [TAG]: 'bigint', v: String(value) };
    case 'object':
      return value === null ? null : encodeObject(value, depth + 1);
    case 'undefined':
    case 'function':
    case 'symbol':
      return { [TAG]: 'undefined' };
  }
}

function encodeObject(value: object, depth: number): unknown {
  const all = (items: Iterable<unknown>) => Array.from(items, (item) => encode(item, depth));
  if (Array.isArray(value)) return all(value);
  if (isBaseMessage(value)) {
    return value.getType() === 'remove' ? { [TAG]: 'remove', v: value.id ?? '' } : { [TAG]: 'message', v: encode(value.toDict(), depth) };
  }
  if (value instanceof Date) return { [TAG]: 'date', v: encode(value.getTime(), depth) };
  if (value instanceof Uint8Array) return { [TAG]: 'bytes', v: Buffer.from(value).toString('base64') };
  if (value instanceof Map) return { [TAG]: 'map', v: Array.from(value, all) };
  if (value instanceof Set) return { [TAG]: 'set', v: all(value) };
  if (value instanceof Error) return { [TAG]: 'error', v: value.message };
  const fields = isSend(value) ? { node: value.node, args: value.args } : plain(value);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return encode(fields, depth);
  const entries = Object.entries(fields).map(([key, field]) => [key, encode(field, depth)]);
  return Object.hasOwn(fields, TAG) ? { [TAG]: 'object', v: entries } : Object.fromEntries(entries);
}

function isSend(value: object): value is { node: unknown; args: unknown } {
  return 'lg_name' in value && value.lg_name === 'Send' && 'node' in value && 'args' in value;
}

function plain(value: object): unknown {
  return 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value;
}

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decode);
  const fields: Readonly<Record<string, unknown>> = { ...value };
  if (!Object.hasOwn(fields, TAG)) return decodeFields(Object.entries(fields));
  const { v } = fields;
  switch (fields[TAG]) {
    case 'number':
      return Number(v);
    case 'bigint':
      return BigInt(String(v));
    case 'message':
      return mapStoredMessagesToChatMessages([decode(v) as StoredMessage])[0];
    case 'remove':
      return new RemoveMessage({ id: String(v) });
    case 'date':
      return new Date(Number(decode(v)));
    case 'bytes':
      return new Uint8Array(Buffer.from(String(v), 'base64'));
    case 'map':
      return new Map(decode(v) as [unknown, unknown][]);
    case 'set':
      return new Set(decode(v) as unknown[]);
    case 'error':
      return new Error(String(v));
    case 'object':
      return decodeFields(v as [string, unknown][]);
    default:
      return undefined;
  }
}

/** Keys become own fields, whatever they are called. */
function decodeFields(entries: readonly [string, unknown][]): object {
  return Object.fromEntries(entries.map(([key, field]) => [key, decode(field)]));
}

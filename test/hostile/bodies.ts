import type { Mistake } from './expected-status.ts';

/** A body that no route takes. */
export interface BadBody {
  readonly name: string;
  readonly mistake: Mistake;
  readonly body: string | Uint8Array;
}

const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
const manyKeys = () => `{${Array.from({ length: 100_000 }, (_, index) => `"${index.toString(36)}":0`).join(',')}}`;
const bytes = (...parts: readonly (string | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

/** Bodies that are wrong for every route that reads one. */
export const badBodies: readonly BadBody[] = [
  ...['null', '[]', '"x"', '5', 'true', '-0', '[{"a":1}]'].map((body): BadBody => ({ name: body, mistake: 'not an object', body })),
  { name: 'BOM and a list', mistake: 'not an object', body: '\ufeff[]' },
  ...[
    '{',
    '{"a":',
    '{"a":1',
    '{"a"}',
    "{'a':1}",
    '{"a":1,}',
    '{"a":1}}',
    '{"a":01}',
    '{"a":NaN}',
    '{"a":"\n"}',
    'undefined',
    '\0',
    '{}\0',
  ].map((body): BadBody => ({ name: JSON.stringify(body), mistake: 'syntax', body })),
  { name: 'white space', mistake: 'syntax', body: ' \n' },
  { name: 'invalid UTF-8', mistake: 'syntax', body: bytes('{"a":"', [0xff, 0xfe], '"}') },
  { name: 'overlong UTF-8', mistake: 'syntax', body: bytes('{"a":"', [0xc0, 0xaf], '"}') },
  { name: 'a surrogate in UTF-8', mistake: 'syntax', body: bytes('{"a":"', [0xed, 0xa0, 0x80], '"}') },
  { name: 'UTF-16', mistake: 'syntax', body: Buffer.from('{"a":1}', 'utf16le') },
  { name: 'depth 65', mistake: 'too deep', body: nested(65) },
  { name: 'depth 10,000', mistake: 'too deep', body: nested(10_000) },
  { name: '10,000 lists', mistake: 'too deep', body: '['.repeat(10_000) },
  { name: '__proto__', mistake: 'syntax', body: '{"__proto__":{"polluted":true}}' },
  { name: '__proto__, escaped', mistake: 'syntax', body: '{"\\u005f_proto__":{"polluted":true}}' },
  { name: 'constructor.prototype', mistake: 'syntax', body: '{"constructor":{"prototype":{"polluted":true}}}' },
  { name: '__proto__ deep inside', mistake: 'syntax', body: '{"a":[{"__proto__":{"polluted":true}}]}' },
  { name: 'NUL in a name', mistake: 'unicode', body: '{"a\\u0000":1}' },
  { name: 'half a pair in a name', mistake: 'unicode', body: '{"a\\ud800":1}' },
];

/** Bodies that are wrong for every route that asks for a field. */
export const emptyHanded: readonly BadBody[] = [
  { name: 'no field', mistake: 'fields', body: '{}' },
  { name: 'depth 64', mistake: 'fields', body: nested(64) },
  { name: '100,000 unknown fields', mistake: 'fields', body: manyKeys() },
  { name: 'a harmless constructor', mistake: 'fields', body: '{"constructor":1,"toString":2,"hasOwnProperty":3}' },
];

/** Content types that are no JSON in UTF-8. */
export const wrongContentTypes: readonly string[] = [
  '',
  'text/plain',
  'application/json\ta',
  'application/json; charset=utf-7',
  'application/json; charset=utf-16',
  'application/jsonx',
  'text/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json, text/plain',
  '*/*',
];

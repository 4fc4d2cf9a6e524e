import { describe, expect, it } from 'vitest';
import { readJsonBody } from './json-body.ts';

const json = { 'content-type': 'application/json' };

function read(body: string | Buffer, headers: Record<string, string> = json): unknown {
  return readJsonBody(headers, Buffer.from(body as string));
}

describe('a JSON body', () => {
  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])('is taken as %s', (type) => {
    expect(read('{"a":"é😀"}', { 'content-type': type })).toEqual({ a: 'é😀' });
  });

  it.each([
    'text/plain',
    'application/json; charset=utf-7',
    'application/json\ta',
    'application/jsonx',
    'application/json, text/plain',
    '',
  ])('is refused as %j', (type) => {
    expect(() => read('{}', { 'content-type': type })).toThrow(expect.objectContaining({ code: 'content_type_unsupported' }));
  });

  it('may be missing', () => {
    expect(read('', {})).toBeUndefined();
    expect(read('')).toBeUndefined();
    expect(() => read('{}', {})).toThrow(expect.objectContaining({ code: 'content_type_unsupported' }));
  });

  it('is refused when encoded', () => {
    expect(() => read('{}', { ...json, 'content-encoding': 'gzip' })).toThrow(
      expect.objectContaining({ code: 'content_type_unsupported' }),
    );
  });

  it('may begin with a byte order mark', () => {
    expect(read('\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  it.each([
    ['null', 'body_not_object'],
    ['[]', 'body_not_object'],
    ['"x"', 'body_not_object'],
    ['1', 'body_not_object'],
    ['{', 'body_invalid'],
    ['{"a":01}', 'body_invalid'],
    ['{"a":"\u0000"}', 'body_invalid'],
    [Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]), 'body_invalid'],
    [`{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'body_too_deep'],
    [`{"a":${'['.repeat(200_000)}`, 'body_too_deep'],
    ['{"__proto__":{"x":1}}', 'body_invalid'],
    ['{"\\u005f_proto__":{"x":1}}', 'body_invalid'],
    ['{"a":[{"constructor":{"prototype":{"x":1}}}]}', 'body_invalid'],
    ['{"a":"\\u0000"}', 'unicode_invalid'],
    ['{"a":["\\ud800"]}', 'unicode_invalid'],
    ['{"\\udc00":1}', 'unicode_invalid'],
  ])('that is %s is refused', (body, code) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ code }));
    expect(Object.prototype).not.toHaveProperty('x');
  });

  it('may talk about such things', () => {
    const value = {
      text: '__proto__ \\u0000 constructor ]]}}[[{{"',
      deep: JSON.parse(`${'['.repeat(63)}${']'.repeat(63)}`),
      constructor: 1,
    };
    expect(read(JSON.stringify(value))).toEqual(value);
    expect(read('{"a":"\\ud83d\\ude00"}')).toEqual({ a: '😀' });
  });
});

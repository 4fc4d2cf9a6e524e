import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FrontServer, startFrontServer } from '../../test/support/front-server.ts';

let server: FrontServer;

beforeEach(async () => {
  server = await startFrontServer();
});

afterEach(() => server.close());

describe('a body', () => {
  it('is checked strictly, with every mistake told', async () => {
    const response = await server.post('{"name":5,"list":["1",2,3],"x":1}');
    expect(response.status).toBe(422);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toMatchObject({
      title: 'Unprocessable Entity',
      code: 'validation_failed',
      errors: expect.arrayContaining([
        { path: ['x'], message: 'is not a known field', keyword: 'additionalProperties' },
        { path: ['name'], message: 'must be string', keyword: 'type' },
        { path: ['list', 0], message: 'must be integer', keyword: 'type' },
        { path: ['list'], message: 'must have at most 2 entries', keyword: 'maxItems' },
      ]),
    });
  });

  it('with very many mistakes is told the first', async () => {
    const response = await server.post(`{"name":5,"list":[${'"",'.repeat(3_000)}1]}`);
    expect(((await response.json()) as { errors: unknown[] }).errors).toHaveLength(1);
  });

  it('that is missing or no object says so', async () => {
    expect(await (await fetch(`http://127.0.0.1:${server.port}/door/who/1`, { method: 'POST' })).json()).toMatchObject({
      status: 400,
      code: 'body_not_object',
    });
    expect(await (await server.post('[]')).json()).toMatchObject({ status: 400, code: 'body_not_object' });
    expect(await (await server.post('{"name":')).json()).toMatchObject({ status: 400, code: 'body_invalid' });
    expect(await (await server.post('{}', { 'content-type': 'text/plain' })).json()).toMatchObject({ status: 415 });
    expect(await (await server.post('{}', { 'content-type': ';;' })).json()).toMatchObject({
      status: 415,
      code: 'content_type_unsupported',
    });
  });

  it('that is too large ends the connection', async () => {
    const head = 'POST /door/who/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    expect(await server.raw(`${head}Content-Length: 20000\r\n\r\n{`)).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
    expect(await server.raw(`${head}Transfer-Encoding: chunked\r\n\r\n4000\r\n${'x'.repeat(16_384)}\r\n`)).toMatch(/^HTTP\/1\.1 413/);
  });

  it('and its path make the fingerprint of a repeatable request', async () => {
    const fingerprint = async (path: string, body: string) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' };
      const answer = (await (await fetch(`http://127.0.0.1:${server.port}${path}`, { method: 'POST', body, headers })).json()) as {
        repeat: { fingerprint: string };
      };
      return answer.repeat.fingerprint;
    };
    const first = await fingerprint('/door/who/1', '{"name":"a"}');
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await fingerprint('/door/who/1?x=1', '{ "name": "a" }')).toBe(first);
    expect(await fingerprint('/door/who/2', '{"name":"a"}')).not.toBe(first);
    expect(await fingerprint('/door/who/1', '{"name":"b"}')).not.toBe(first);
    for (const key of ['a b', 'x'.repeat(256), 'é', '']) {
      expect(await (await server.post('{"name":"a"}', { 'idempotency-key': key })).json()).toMatchObject({
        status: 400,
        code: 'idempotency_key_invalid',
      });
    }
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FrontServer, startFrontServer } from '../../test/support/front-server.ts';

let server: FrontServer;

beforeEach(async () => {
  server = await startFrontServer();
});

afterEach(() => server.close());

describe('every answer', () => {
  it("has a request id, the caller's own if it is a plain one", async () => {
    expect((await server.get('/health', { 'x-request-id': 'abc_1-2' })).headers.get('x-request-id')).toBe('abc_1-2');
    for (const id of ['a b', 'x'.repeat(65), 'é']) {
      expect((await server.get('/health', { 'x-request-id': id })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('keeps the connection open', async () => {
    const answer = await server.raw('GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer.match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404']);
  });

  it('is logged without query, key or body', async () => {
    await server.get('/door/who/1?key=plg_a');
    await server.post('{"name":"hush"}', { authorization: 'Bearer plg_a' });
    expect(server.logged()).toContain('"route":"/door/who/:id"');
    expect(server.logged()).not.toMatch(/plg_a|hush|key=/);
  });
});

describe('an address', () => {
  it.each([
    '/nothing',
    '/door',
    '/door/who',
    '//door/who/1',
    '/%2e%2e/etc',
    '/door/who/%',
    '/%',
    '/door/who/%ff',
    `/door/who/${'x'.repeat(2_000)}`,
  ])('that is unknown is 404: %s', async (path) => {
    const answer = await server.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 404/);
    expect(answer).toMatch(/x-request-id: /i);
    expect(answer).toContain('"code":"route_not_found"');
  });

  it('tells which methods it knows', async () => {
    for (const method of ['DELETE', 'PATCH', 'HEAD', 'OPTIONS']) {
      const response = await server.get('/alias/who/1', {}, method);
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST']);
    }
  });

  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['nonsense\r\n\r\n', 400],
    [`GET /health HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['POST /door/who/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['GET /health HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n', 400],
  ])('that is no HTTP is refused: %#', async (bytes, status) => {
    const answer = await server.raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/connection: close/i);
    expect((await server.get('/health')).status).toBe(200);
  });

  it('survives a header named __proto__ and very many headers', async () => {
    expect(await server.raw('GET /health HTTP/1.1\r\nHost: x\r\n__proto__: a\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 200/);
    const many = Array.from({ length: 2_001 }, (_, index) => `a${index}: b\r\n`).join('');
    expect(await server.raw(`GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${many}\r\n`)).toMatch(/^HTTP\/1\.1 (200|431)/);
  });

  it('is read about at /', async () => {
    const response = await server.get('/');
    const page = await response.text();
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(page).toContain(`curl http://localhost:${server.port}/door -H &quot;X-API-Key:`);
    expect(page).toContain('Tests &lt;b&gt;');
    expect(page).toContain('demo model');
  });
});

describe('a failure nobody expected', () => {
  it('tells the log and not the caller', async () => {
    const response = await server.get('/door/broken');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(server.logged()).toContain('secret path');
  });
});

describe('a page of another origin', () => {
  it('may read answers if it is allowed to', async () => {
    const response = await server.get('/health', { origin: 'https://app.example' });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(response.headers.get('access-control-expose-headers')).toContain('X-Run-Id');
    const preflight = await server.get(
      '/door/who/1',
      { origin: 'https://app.example', 'access-control-request-method': 'POST' },
      'OPTIONS',
    );
    expect(preflight.status).toBe(204);
  });

  it.each(['null', 'https://app.example.evil', 'http://app.example', 'http://localhost:3000'])('may not from %s', async (origin) => {
    expect((await server.get('/health', { origin })).headers.has('access-control-allow-origin')).toBe(false);
  });
});

describe('a server that is about to stop', () => {
  it('takes nothing new and closes connections', async () => {
    server.draining.abort();
    const response = await server.post('{"name":"a"}');
    expect([response.status, response.headers.get('retry-after'), response.headers.get('connection')]).toEqual([503, '5', 'close']);
    expect((await server.get('/ready')).status).toBe(503);
    expect((await server.get('/health')).status).toBe(200);
  });
});

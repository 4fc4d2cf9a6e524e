import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FrontServer, startFrontServer } from '../../test/support/front-server.ts';

let server: FrontServer;

beforeEach(async () => {
  server = await startFrontServer();
});

afterEach(() => server.close());

describe('a credential', () => {
  it.each([
    [{}, '', 401, 'auth_missing'],
    [{ authorization: 'Bearer plg_x' }, '', 401, 'auth_invalid'],
    [{ authorization: 'Basic abc' }, '', 401, 'auth_invalid'],
    [{ authorization: 'Bearer plg_a' }, '?key=plg_b', 400, 'auth_conflict'],
    [{ authorization: 'Bearer plg_a', 'x-api-key': 'plg_b' }, '', 400, 'auth_conflict'],
    [{}, '?key=plg_a&key=plg_b', 400, 'auth_conflict'],
    [{}, '?other=plg_a', 401, 'auth_missing'],
    [{ 'x-api-key': 'plg_b', 'x-user-id': 'ann' }, '', 403, 'scope_denied'],
    [{ 'x-api-key': 'plg_a', 'x-user-id': '' }, '', 422, 'validation_failed'],
    [{ 'x-api-key': 'plg_a', 'x-user-id': 'x'.repeat(256) }, '', 422, 'validation_failed'],
  ])('is refused: %j %s', async (...[headers, query, status, code]) => {
    const response = await server.get(`/door/who/1${query}`, headers);
    expect(await response.json()).toMatchObject({ status, code });
    expect(response.headers.has('www-authenticate')).toBe(status === 401);
    expect(response.headers.get('cache-control')).toBe('private, no-store');
  });

  it.each([
    [{ authorization: 'bearer plg_a' }, '?key=plg_a', 'service'],
    [{ 'x-api-key': 'plg_b' }, '', 'service'],
    [{ 'x-api-key': 'plg_a', 'x-user-id': 'Jos\xc3\xa9' }, '', 'José'],
    [{ 'x-api-key': 'plg_a', 'x-user-id': 'Jos\xe9' }, '', 'José'],
    [{ authorization: 'Bearer jwt', 'x-user-id': 'bob' }, '', 'ann'],
  ])('is taken: %j %s', async (headers, query, userId) => {
    expect(await (await server.get(`/door/who/1${query}`, headers)).json()).toMatchObject({ applicationId: 'default', userId });
  });

  it('sent twice in one header is a conflict', async () => {
    const answer = await server.raw(
      'GET /door/who/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer plg_a\r\nAuthorization: Bearer plg_b\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toContain('"code":"auth_conflict"');
  });

  it.each([
    [['ann', 'bob'], 400, '"code":"auth_conflict"'],
    [['ann', 'ann '], 200, '"userId":"ann"'],
    [['ann, bob'], 200, '"userId":"ann, bob"'],
  ])('names one user: %j', async (users, status, words) => {
    const named = users.map((user) => `X-User-Id: ${user}\r\n`).join('');
    const answer = await server.raw(
      `GET /door/who/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer plg_a\r\n${named}Connection: close\r\n\r\n`,
    );
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(answer).toContain(words);
  });
});

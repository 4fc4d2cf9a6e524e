import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FrontServer, startFrontServer } from '../../test/support/front-server.ts';
import { serverKey, userToken } from '../../test/support/principals.ts';
import type { Caller } from '../core/principal.ts';

const known = {
  plg_reads: serverKey({ scopes: new Set(['read']) }),
  plg_writes: serverKey({ scopes: new Set(['write']) }),
  plg_elsewhere: serverKey({ dialects: new Set(['levia']) }),
  plg_here: serverKey({ dialects: new Set(['levia', 'door']) }),
  plg_bound: userToken('bea', { by: 'key', tier: 'small' }),
};

let server: FrontServer;
let charged: Caller[];

beforeEach(async () => {
  charged = [];
  const request = async (caller: Caller) => {
    charged.push(caller);
    return null;
  };
  server = await startFrontServer({ known, limits: { request } });
});

afterEach(() => server.close());

const bearer = (credential: string, userId?: string) => ({
  authorization: `Bearer ${credential}`,
  ...(userId !== undefined && { 'x-user-id': userId }),
});

describe('a credential without the scope for what a request does', () => {
  it.each([
    ['plg_writes', 'GET'],
    ['plg_reads', 'POST'],
    ['plg_elsewhere', 'GET'],
    ['plg_elsewhere', 'POST'],
  ])('is refused and charges nobody: %s %s', async (credential, method) => {
    const response = await (method === 'GET'
      ? server.get('/door/who/1', bearer(credential))
      : server.post('{"name":"a"}', bearer(credential)));
    expect(await response.json()).toMatchObject({ status: 403, code: 'scope_denied' });
    expect(charged).toEqual([]);
  });

  it.each([
    ['plg_reads', 'GET'],
    ['plg_writes', 'POST'],
    ['plg_here', 'GET'],
    ['plg_here', 'POST'],
  ])('is not one that has it: %s %s', async (credential, method) => {
    const response = await (method === 'GET'
      ? server.get('/door/who/1', bearer(credential))
      : server.post('{"name":"a"}', bearer(credential)));
    expect(response.status).toBe(200);
    expect(charged).toHaveLength(1);
  });
});

describe('a request acts for', () => {
  it.each([
    ['plg_a', undefined, { userId: 'service', tier: 'default', named: false }],
    ['plg_a', 'ann', { userId: 'ann', tier: 'default', named: true }],
    ['jwt', 'bob', { userId: 'ann', tier: 'default', named: true }],
    ['plg_bound', undefined, { userId: 'bea', tier: 'small', named: true }],
    ['plg_bound', 'bea', { userId: 'bea', tier: 'small', named: true }],
  ])('whom its credential and header say: %s, %s', async (credential, userId, caller) => {
    const response = await server.get('/door/who/1', bearer(credential, userId));
    expect(await response.json()).toEqual({ applicationId: 'default', ...caller });
    expect(charged).toEqual([{ applicationId: 'default', ...caller }]);
  });

  it('nobody when a key names a user that it must not', async () => {
    for (const credential of ['plg_b', 'plg_bound']) {
      const response = await server.get('/door/who/1', bearer(credential, 'ann'));
      expect(await response.json()).toMatchObject({ status: 403, code: 'scope_denied' });
    }
    expect(charged).toEqual([]);
  });
});

describe('a key bound to a user', () => {
  it('stands where keys stand, although it is that of a user', async () => {
    expect((await server.get('/door/who/1', { 'x-api-key': 'plg_bound' })).status).toBe(200);
    expect((await server.get('/door/who/1?key=plg_bound')).status).toBe(200);
    expect((await server.get('/door/who/1', { 'x-api-key': 'jwt' })).status).toBe(401);
  });
});

import { expect, test } from 'vitest';
import { serveDialect } from '../../../test/support/dialect-server.ts';
import { serverKey } from '../../../test/support/principals.ts';
import { stubEngine } from '../../../test/support/stub-engine.ts';
import type { ApiKey } from '../../core/access.ts';
import { DEFAULT_APPLICATION, type KeyId } from '../../core/ids.ts';
import type { Engine } from '../../engine/index.ts';
import { native } from './index.ts';

const keys: readonly ApiKey[] = Array.from({ length: 41 }, (_, index) => ({
  id: `01890000-0000-7000-8000-0000000000${index + 10}` as KeyId,
  applicationId: DEFAULT_APPLICATION,
  name: 'Server',
  hint: 'wxyz',
  scopes: ['read'],
  dialects: null,
  userId: null,
  tier: null,
  createdAt: 1,
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
}));

const listKeys: Engine['access']['listKeys'] = async (_application, { limit, after }) => {
  const start = after === null ? 0 : keys.findIndex(({ id }) => id === after) + 1;
  return keys.slice(start, start + limit);
};

test('keys are listed page by page', async () => {
  const server = await serveDialect(native, stubEngine({ access: { listKeys } }), { asker: serverKey() });
  const get = async (query: string): Promise<unknown> => {
    const answer = await server.send(`/polylogue/v1/keys${query}`, { headers: { authorization: 'Bearer asker' } });
    return answer.json();
  };
  const lengths: number[] = [];
  const ids: string[] = [];
  for (let query = ''; query !== '?cursor=null'; ) {
    const { data, next_cursor } = (await get(query)) as { data: { id: string }[]; next_cursor: string | null };
    lengths.push(data.length);
    ids.push(...data.map(({ id }) => id));
    query = `?cursor=${next_cursor}`;
  }
  expect([lengths, ids]).toEqual([[20, 20, 1], keys.map(({ id }) => id)]);
  expect(await get('?limit=41')).toMatchObject({ next_cursor: null });
  for (const query of ['?limit=0', '?limit=101', '?limit=1e1']) expect(await get(query)).toMatchObject({ status: 422 });
  for (const cursor of ['abc', keys[0]?.id, '', 'WzFd']) expect(await get(`?cursor=${cursor}`)).toMatchObject({ code: 'cursor_invalid' });
  await server.close();
});

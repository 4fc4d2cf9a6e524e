import { describe, expect, test, vi } from 'vitest';
import { askEverywhere, expectOneOf, withHouses } from './doors/ask-everywhere.ts';
import type { TestApp } from './support/app.ts';
import { proofStores } from './support/proof-stores.ts';
import { answer, type Step } from './support/upstream.ts';

const USER = 'ann';
const THREADS = '/polylogue/v1/threads';

const stores = await proofStores();

for (const { name, skip, open } of stores) {
  describe.skipIf(skip)(`limits on ${name}`, () => {
    test('of 200 messages at once through every door one is taken where one a minute is allowed', async () => {
      await withHouses({ store: await open(), tier: { user: { messagesPerMinute: 1 } } }, async (houses) => {
        expectOneOf(await askEverywhere(houses, { userAt: () => USER }), houses.upstream);
      });
    });

    test('of 200 messages at once through every door one is taken where one unfinished answer is allowed', async () => {
      const last = Promise.withResolvers<void>();
      const [head, ...rest] = answer(['Yes.']);
      const slow: Step[] = [...(head ? [head] : []), { until: last.promise }, { waitMs: 1_000 }, ...rest];
      await withHouses({ store: await open(), tier: { user: { concurrentRuns: 1 } }, steps: slow }, async (houses) => {
        expectOneOf(await askEverywhere(houses, { userAt: () => USER, onLast: last.resolve }), houses.upstream);
        const [app] = houses.apps;
        const headers = { authorization: `Bearer ${await app?.token(USER)}` };
        const thread = (await (await app?.post(THREADS, {}, headers))?.json()) as { id: string };
        const again = async () => (await app?.post(`${THREADS}/${thread.id}/runs`, { text: 'And now?' }, headers))?.status;
        await vi.waitUntil(async () => (await again()) === 202, { timeout: 15_000, interval: 200 });
      });
    });

    test('a repeat is answered though nothing is left, and takes nothing', async () => {
      await withHouses({ store: await open(), tier: { user: { messagesPerMinute: 2 } } }, async ({ apps, upstream }) => {
        const app = apps.at(-1) as TestApp;
        const authorization = `Bearer ${await app.token(USER)}`;
        const { id } = (await (await app.post(THREADS, {}, { authorization })).json()) as { id: string };
        const ask = (text: string, key: string) => app.post(`${THREADS}/${id}/runs`, { text }, { authorization, 'idempotency-key': key });
        const first = await ask('One?', 'k1');
        expect([first.status, first.headers.get('x-ratelimit-remaining')]).toEqual([202, '1']);
        for (let repeat = 0; repeat < 5; repeat += 1) {
          const again = await ask('One?', 'k1');
          expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
        }
        expect((await ask('Two?', 'k2')).status).toBe(202);
        const refused = await ask('Three?', 'k3');
        expect([refused.status, refused.headers.get('x-ratelimit-remaining')]).toEqual([429, '0']);
        const again = await ask('Two?', 'k2');
        expect([again.status, again.headers.get('x-run-id')]).toEqual([202, (await ask('Two?', 'k2')).headers.get('x-run-id')]);
        expect((await ask('Something else?', 'k2')).status).toBe(422);
        await vi.waitUntil(() => upstream.requests.length >= 2);
        expect(upstream.requests).toHaveLength(2);
      });
    });
  });
}

test('what is refused for another reason costs no message', async () => {
  const [embedded] = stores;
  await withHouses(
    { store: await (embedded ?? expect.fail()).open(), tier: { user: { messagesPerMinute: 1 } } },
    async ({ apps: [app] }) => {
      if (!app) throw new Error('There is no server.');
      const authorization = `Bearer ${await app.token(USER)}`;
      const { id } = (await (await app.post(THREADS, {}, { authorization })).json()) as { id: string };
      const ask = (body: object, thread = id) => app.post(`${THREADS}/${thread}/runs`, body, { authorization });
      for (const body of [{ text: ' ' }, { text: 'Hm?', model: 'none' }, { regenerate: '01900000-0000-7000-8000-00000000dead' }]) {
        expect((await ask(body)).status).toBeGreaterThanOrEqual(400);
      }
      expect((await ask({ text: 'Hm?' }, '01900000-0000-7000-8000-00000000dead')).status).toBe(404);
      expect((await ask({ text: 'Hm?' })).status).toBe(202);
      expect((await ask({ text: 'Hm?' })).status).toBe(429);
    },
  );
});

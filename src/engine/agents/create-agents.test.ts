import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../backends/clock/system-clock.ts';
import { randomIds } from '../../backends/ids/random-ids.ts';
import { createCatalogue } from '../../backends/models/catalogue.ts';
import { openSqliteStore } from '../../backends/stores/sqlite/index.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Store } from '../../core/ports/store.ts';
import type { OwnAgent } from './agents.ts';
import { createAgents } from './create-agents.ts';

const owner = { applicationId: DEFAULT_APPLICATION, userId: 'ann' };
const scribe: OwnAgent = {
  name: 'scribe',
  description: '',
  instructions: 'Write.',
  greeting: null,
  model: null,
  tools: [],
  rules: [],
  stepLimit: 5,
};
const noModel = { stream: () => Promise.reject(new Error('Nobody is asked')), listModels: async () => [] };
const catalogue = createCatalogue({ settings: {}, providers: { demo: noModel }, log: { info: () => undefined, warn: () => undefined } });

let dataDir: string;
let store: Store;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polylogue-'));
  store = await openSqliteStore({ dataDir });
});
afterEach(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

function agentsOver(over: Pick<Store, 'findAgent'> = store) {
  const ports = { catalogue, ids: randomIds, clock: systemClock, houseGraph: null, defaultAgent: null };
  return createAgents({ ...ports, store: { ...store, ...over } });
}

test.each(['changed', 'deleted'])(
  'a change of an agent that somebody else has %s meanwhile is refused, and undoes nothing',
  async (how) => {
    const agents = agentsOver();
    const { id } = (await agents.create(owner, scribe, null)).agent;
    const meanwhile = agentsOver({
      async findAgent(application, ref) {
        const found = await store.findAgent(application, ref);
        await (how === 'changed' ? agents.change(owner, id, { changes: { instructions: 'Read.' } }) : agents.delete(owner, id));
        return found;
      },
    });
    await expect(meanwhile.change(owner, id, { changes: { greeting: 'Hi' } })).rejects.toMatchObject({ code: 'state_conflict' });
    const left = await agents.known(owner, id);
    expect(left && [left.instructions, left.greeting]).toEqual(how === 'changed' ? ['Read.', null] : null);
  },
);

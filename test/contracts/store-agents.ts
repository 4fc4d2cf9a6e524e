import { expect } from 'vitest';
import type { Agent, AgentDefinition } from '../../src/core/agent.ts';
import type { AgentId, ApplicationId } from '../../src/core/ids.ts';
import { DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import type { SaveAgent } from '../../src/core/ports/agent-store.ts';
import type { ToolPin } from '../../src/core/tool.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, append, begin, bob, elsewhere, NOW, newId } from './store-fixtures.ts';
import { agentSnapshot, waiting } from './store-waits-fixtures.ts';

const OTHER = elsewhere.applicationId;

const definition: AgentDefinition = {
  description: 'Looks after tasks.',
  instructions: 'Be brief. "Quote" 日本 \u0000 and\nlines.',
  greeting: null,
  model: 'demo',
  runtime: 'loop',
  module: null,
  tools: ['tasks/*', 'clock'],
  rules: [{ tool: 'tasks_delete', rule: 'deny' }],
  stepLimit: 8,
};

function saving(changes: Partial<SaveAgent> = {}): SaveAgent {
  return { applicationId: DEFAULT_APPLICATION, id: newId<AgentId>(), name: 'tasks', definition, now: NOW, ...changes };
}

const pin = (tool: string, digest: string): ToolPin => ({
  ...{ tool, digest },
  definition: { name: tool, description: `Says "${digest}"`, parameters: { type: 'object' }, readOnly: true },
});

const all = { limit: 99, after: null };

export const agentCases: StoreCases = {
  'keeps every version of an agent': async ({ store }) => {
    const input = saving();
    const { applicationId, id, name } = input;
    const first = await store.saveAgent(input);
    expect(first).toEqual({ ...definition, applicationId, id, name, version: 1, createdAt: NOW });
    const renamed = await store.saveAgent({ ...input, name: 'jobs', now: NOW + 1 });
    const second = { ...definition, applicationId, id, name: 'jobs', version: 2, createdAt: NOW + 1 };
    expect(renamed).toEqual(second);
    expect(await store.findAgent(DEFAULT_APPLICATION, { id })).toEqual(second);
    expect(await store.findAgent(DEFAULT_APPLICATION, { name: 'jobs' })).toEqual(second);
    expect(await store.findAgent(DEFAULT_APPLICATION, { name: 'tasks' })).toBeNull();
    expect([await store.findAgentVersion(id, 1), await store.findAgentVersion(id, 2)]).toEqual([first, second]);
    expect([await store.findAgentVersion(id, 3), await store.findAgentVersion(newId<AgentId>(), 1)]).toEqual([null, null]);
    expect(await store.listAgentVersions(DEFAULT_APPLICATION, id, { limit: 9, before: null })).toEqual([second, first]);
    expect(await store.listAgentVersions(DEFAULT_APPLICATION, id, { limit: 1, before: null })).toEqual([second]);
    expect(await store.listAgentVersions(DEFAULT_APPLICATION, id, { limit: 9, before: 2 })).toEqual([first]);
  },

  'makes no version of what says the same': async ({ store }) => {
    const input = saving();
    const first = await store.saveAgent(input);
    const { tools, ...rest } = definition;
    expect(await store.saveAgent({ ...input, definition: { tools, ...rest }, now: NOW + 5 })).toEqual(first);
    const changed = { ...definition, rules: [] };
    expect(await store.saveAgent({ ...input, definition: changed, now: NOW + 6 })).toMatchObject({ version: 2, rules: [] });
    expect(await store.saveAgent({ ...input, now: NOW + 7 })).toMatchObject({ version: 3, rules: definition.rules });
  },

  'saves only on top of the version that is expected': async ({ store }) => {
    const input = saving();
    expect(await store.saveAgent({ ...input, expectedVersion: 1 })).toBe('version_conflict');
    expect(await store.saveAgent({ ...input, expectedVersion: 0 })).toMatchObject({ version: 1 });
    const next = { ...input, definition: { ...definition, stepLimit: 9 } };
    expect(await store.saveAgent({ ...next, expectedVersion: 0 })).toBe('version_conflict');
    expect(await store.saveAgent({ ...next, expectedVersion: 1 })).toMatchObject({ version: 2 });
    expect(await store.saveAgent({ ...input, expectedVersion: 1 })).toBe('version_conflict');
    expect(await store.findAgent(DEFAULT_APPLICATION, { id: input.id })).toMatchObject({ version: 2, stepLimit: 9 });
  },

  'gives a name to one agent of an application': async ({ store }) => {
    const first = saving();
    await store.saveAgent(first);
    expect(await store.saveAgent(saving())).toBe('name_taken');
    const second = saving({ name: 'other' });
    await store.saveAgent(second);
    expect(await store.saveAgent({ ...second, name: 'tasks' })).toBe('name_taken');
    expect(await store.findAgent(DEFAULT_APPLICATION, { id: second.id })).toMatchObject({ name: 'other', version: 1 });
    expect(await store.saveAgent(saving({ applicationId: OTHER }))).toMatchObject({ version: 1 });
    expect(await store.saveAgent(saving({ name: 'Tasks' }))).toMatchObject({ name: 'Tasks' });
  },

  'gives the first result again under the same key, until the agent is deleted': async ({ store }) => {
    const repeat = { owner: ann, idempotency: { key: 'k', fingerprint: 'f' } };
    const first = await store.saveAgent(saving({ expectedVersion: 0, repeat }));
    const { id } = first as Agent;
    await store.saveAgent(saving({ id, definition: { ...definition, stepLimit: 9 } }));
    expect(await store.saveAgent(saving({ expectedVersion: 0, repeat }))).toEqual({ replayed: first });
    const other = { owner: ann, idempotency: { key: 'k', fingerprint: 'g' } };
    expect(await store.saveAgent(saving({ name: 'other', repeat: other }))).toBe('idempotency_mismatch');
    expect(await store.saveAgent(saving({ name: 'other', repeat: { ...other, owner: bob } }))).toMatchObject({ version: 1 });
    expect(await store.deleteAgent(DEFAULT_APPLICATION, id)).toBe(true);
    expect(await store.saveAgent(saving({ expectedVersion: 0, repeat }))).toMatchObject({ version: 1 });
  },

  'lets one of many that save at once have the name, and versions follow one another': async ({ store }) => {
    const made = await Promise.all(Array.from({ length: 8 }, () => store.saveAgent(saving())));
    expect(made.filter((saved) => saved === 'name_taken')).toHaveLength(7);
    const [agent] = made.flatMap((saved) => (typeof saved === 'string' || 'replayed' in saved ? [] : [saved]));
    const id = agent?.id ?? newId<AgentId>();
    const changes = Array.from({ length: 8 }, (_, index) => saving({ id, definition: { ...definition, stepLimit: index + 20 } }));
    const saved = await Promise.all(changes.map((change) => store.saveAgent(change)));
    const versions = saved.map((one) => (typeof one === 'string' || 'replayed' in one ? one : one.version));
    expect(versions.toSorted()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  },

  'shows an application its own agents and those of configuration, no others': async ({ store }) => {
    const own = saving({ name: 'own' });
    const configured = saving({ applicationId: null, name: 'configured' });
    const foreign = saving({ applicationId: OTHER, name: 'foreign' });
    for (const input of [own, configured, foreign]) await store.saveAgent(input);
    expect(await store.findAgent(DEFAULT_APPLICATION, { id: configured.id })).toMatchObject({ applicationId: null, name: 'configured' });
    expect(await store.findAgent(DEFAULT_APPLICATION, { id: foreign.id })).toBeNull();
    expect(await store.findAgent(DEFAULT_APPLICATION, { name: 'foreign' })).toBeNull();
    expect(await store.listAgentVersions(DEFAULT_APPLICATION, foreign.id, { limit: 9, before: null })).toBeNull();
    const names = async (application: ApplicationId | null) => (await store.listAgents(application, all)).map(({ name }) => name);
    expect(await names(DEFAULT_APPLICATION)).toEqual(['configured', 'own']);
    expect(await names(OTHER)).toEqual(['configured', 'foreign']);
    expect(await names(null)).toEqual(['configured']);
  },

  'finds an application its own agent before one of configuration': async ({ store }) => {
    const configured = saving({ applicationId: null });
    const own = saving();
    for (const input of [configured, own, saving({ name: 'a' }), saving({ name: 'z', applicationId: null })]) await store.saveAgent(input);
    expect(await store.findAgent(DEFAULT_APPLICATION, { name: 'tasks' })).toMatchObject({ id: own.id });
    expect(await store.findAgent(OTHER, { name: 'tasks' })).toMatchObject({ id: configured.id });
    expect(await store.findAgent(DEFAULT_APPLICATION, { id: configured.id })).toMatchObject({ id: configured.id });
    const listed = await store.listAgents(DEFAULT_APPLICATION, all);
    expect(listed.map(({ name, applicationId }) => [name, applicationId])).toEqual([
      ['a', DEFAULT_APPLICATION],
      ['tasks', DEFAULT_APPLICATION],
      ['z', null],
    ]);
    expect(await store.listAgents(DEFAULT_APPLICATION, { limit: 1, after: 'a' })).toEqual([listed[1]]);
    expect(await store.listAgents(DEFAULT_APPLICATION, { limit: 9, after: 'tasks' })).toEqual([listed[2]]);
    expect((await store.listAgents(null, all)).map(({ id }) => id)).toContain(configured.id);
  },

  'changes and deletes nobody else’s agent': async ({ store }) => {
    const configured = saving({ applicationId: null });
    const foreign = saving({ applicationId: OTHER });
    for (const input of [configured, foreign]) await store.saveAgent(input);
    for (const { id } of [configured, foreign]) {
      expect(await store.saveAgent(saving({ id, name: 'mine' }))).toBe('version_conflict');
      expect(await store.deleteAgent(DEFAULT_APPLICATION, id)).toBe(false);
    }
    expect(await store.deleteAgent(null, foreign.id)).toBe(false);
    expect(await store.findAgent(OTHER, { id: foreign.id })).toMatchObject({ version: 1, name: 'tasks' });
  },

  'hides a deleted agent and frees its name': async ({ store }) => {
    const input = saving();
    await store.saveAgent(input);
    expect(await store.deleteAgent(DEFAULT_APPLICATION, input.id)).toBe(true);
    expect(await store.deleteAgent(DEFAULT_APPLICATION, input.id)).toBe(false);
    expect(await store.findAgent(DEFAULT_APPLICATION, { id: input.id })).toBeNull();
    expect(await store.findAgent(DEFAULT_APPLICATION, { name: 'tasks' })).toBeNull();
    expect(await store.listAgents(DEFAULT_APPLICATION, all)).toEqual([]);
    expect(await store.listAgentVersions(DEFAULT_APPLICATION, input.id, { limit: 9, before: null })).toBeNull();
    expect(await store.saveAgent({ ...input, expectedVersion: 1 })).toBe('version_conflict');
    expect(await store.saveAgent(saving())).toMatchObject({ version: 1 });
  },

  'keeps of a deleted agent what unfinished runs go by, and no longer': async ({ store, place }) => {
    const canary = 'iNsTrUcTiOn-4d7b';
    const said = (word: string) => ({ ...definition, instructions: `${canary} ${word}` });
    const input = saving({ definition: said('first') });
    const { id, name } = input;
    const first = await store.saveAgent(input);
    const { run } = await begin(store, { snapshot: agentSnapshot({ id, name, version: 1 }) });
    const other = await begin(store, { snapshot: agentSnapshot({ id: newId<AgentId>(), name, version: 2 }) });
    await store.saveAgent({ ...input, definition: said('second') });
    await store.pinTools({ agentId: id, pins: [pin('a', canary)], onlyNew: true, now: NOW });
    expect(await store.deleteAgent(DEFAULT_APPLICATION, id)).toBe(true);
    expect([await store.findAgentVersion(id, 1), await store.findAgentVersion(id, 2)]).toEqual([first, null]);
    for (const expectedVersion of [undefined, 0, 1, 2]) {
      expect(await store.saveAgent({ ...input, ...(expectedVersion === undefined ? {} : { expectedVersion }) })).toBe('version_conflict');
    }
    expect(await store.toolPins(id)).toEqual([pin('a', canary)]);
    expect(await place.holding(`${canary} second`)).toEqual([]);
    await append(store, { waits: [waiting(run, 2, ['c1'])] });
    await store.forgetOldKeys(NOW);
    expect(await store.findAgentVersion(id, 1)).toEqual(first);
    await store.cancelRun({ owner: ann, runId: run.id, now: NOW });
    await store.forgetOldKeys(NOW);
    expect([await store.findAgentVersion(id, 1), await store.toolPins(id)]).toEqual([null, []]);
    expect((await store.findRun(ann, other.run.id))?.status).toBe('running');
  },

  'leaves no byte of a deleted agent': async ({ store, place }) => {
    const canary = 'iNsTrUcTiOn-93aa';
    const kept = saving({ name: 'kept' });
    const gone = saving({ definition: { ...definition, instructions: canary } });
    for (const input of [kept, gone]) await store.saveAgent(input);
    await store.pinTools({ agentId: gone.id, pins: [pin('a', canary)], onlyNew: true, now: NOW });
    expect(await place.holding(canary)).not.toEqual([]);
    await store.deleteAgent(DEFAULT_APPLICATION, gone.id);
    expect(await place.holding(canary)).toEqual([]);
    expect((await store.listAgents(DEFAULT_APPLICATION, all)).map(({ id }) => id)).toEqual([kept.id]);
  },

  'goes on with the versions of a configured agent that comes back': async ({ store }) => {
    const input = saving({ applicationId: null });
    const first = await store.saveAgent(input);
    expect(await store.deleteAgent(null, input.id)).toBe(true);
    expect(await store.listAgents(DEFAULT_APPLICATION, all)).toEqual([]);
    await store.forgetOldKeys(NOW);
    expect(await store.findAgentVersion(input.id, 1)).toEqual(first);
    expect(await store.saveAgent({ ...input, expectedVersion: 0, now: NOW + 9 })).toEqual(first);
    expect(await store.listAgents(DEFAULT_APPLICATION, all)).toEqual([first]);
    await store.deleteAgent(null, input.id);
    expect(await store.saveAgent({ ...input, name: 'again' })).toMatchObject({ version: 2 });
  },

  'trusts tools per agent until told otherwise': async ({ store }) => {
    const [agentId, otherId] = [newId<AgentId>(), newId<AgentId>()];
    const put = (pins: readonly ToolPin[], onlyNew: boolean) => store.pinTools({ agentId, pins, onlyNew, now: NOW });
    expect(await store.toolPins(agentId)).toEqual([]);
    await put([pin('b', '1'), pin('a', '1')], true);
    expect(await store.toolPins(agentId)).toEqual([pin('a', '1'), pin('b', '1')]);
    await put([pin('c', '2'), pin('b', '2')], true);
    expect(await store.toolPins(agentId)).toEqual([pin('a', '1'), pin('b', '1'), pin('c', '2')]);
    await put([pin('b', '3')], false);
    expect(await store.toolPins(agentId)).toEqual([pin('a', '1'), pin('b', '3'), pin('c', '2')]);
    expect(await store.toolPins(otherId)).toEqual([]);
  },

  'lets one first sight of a tool count': async ({ store }) => {
    const agentId = newId<AgentId>();
    const sights = ['1', '2', '3', '4'].map((digest) => [pin('a', digest), pin('b', digest)]);
    const ordered = sights.map((pins, index) => (index % 2 === 0 ? pins : pins.toReversed()));
    await Promise.all(ordered.map((pins) => store.pinTools({ agentId, pins, onlyNew: true, now: NOW })));
    const trusted = await store.toolPins(agentId);
    expect(trusted.map(({ tool }) => tool)).toEqual(['a', 'b']);
    for (const one of trusted) expect(one).toEqual(pin(one.tool, one.digest));
  },

  'takes names that no store keeps for nobody’s': async ({ store }) => {
    await store.saveAgent(saving());
    for (const name of ['tas\0ks', '\ud800', '', "' or 1=1 --", 'tasks%', 'x'.repeat(100_000)]) {
      expect(await store.findAgent(DEFAULT_APPLICATION, { name })).toBeNull();
      expect(await store.findAgent(DEFAULT_APPLICATION, { id: name as AgentId })).toBeNull();
      expect(await store.findAgentVersion(name as AgentId, 1)).toBeNull();
      expect(await store.deleteAgent(DEFAULT_APPLICATION, name as AgentId)).toBe(false);
    }
    for (const after of ['tasks\0', '\ud800']) expect(await store.listAgents(DEFAULT_APPLICATION, { limit: 9, after })).toEqual([]);
    expect(await store.listAgents(DEFAULT_APPLICATION, all)).toHaveLength(1);
  },
};

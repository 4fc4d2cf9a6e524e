import type { Agent } from '../../core/agent.ts';
import { type AgentId, DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Operation, Parameter, Refused } from '../../http/docs/operation.ts';
import { count, flag, type JsonSchema, list, named, object, oneOf, orNull, text, time, uuid } from '../../http/docs/schema.ts';
import { requireScope } from '../../http/doorkeeper.ts';
import { readAgentCursor, readVersionCursor } from '../../http/list-cursor.ts';
import { toAgentView, toWholeAgentView } from './agent-view.ts';
import { actingUser, cursor, limit, page } from './operation-parts.ts';
import { readPage } from './prompt-wire.ts';

const sampleAgent: Agent = {
  id: '019a9e2f-3d22-7e33-9f44-405566778899' as AgentId,
  applicationId: DEFAULT_APPLICATION,
  name: 'gardener',
  version: 1,
  description: 'Knows what grows in which garden',
  instructions: 'You help people who garden.',
  greeting: 'What shall grow?',
  model: null,
  runtime: 'loop',
  module: null,
  tools: ['clock', 'weather'],
  rules: [{ tool: 'weather', rule: 'allow' }],
  stepLimit: 25,
  createdAt: Date.UTC(2026, 10, 20, 9, 30),
};

const fields = {
  id: uuid,
  name: text,
  description: text,
  greeting: { ...orNull(text), description: 'What an empty conversation shows.' },
  model: { ...orNull(text), description: "Null: the thread's, or the default one." },
  runtime: oneOf('loop', 'supervisor', 'langgraph', 'openai-agents'),
  version: count,
  built_in: { ...flag, description: "Comes with the server's settings, for every application." },
  created_at: time,
};
const rule = object({ tool: text, rule: oneOf('allow', 'ask', 'deny') });
const wholeFields = { instructions: text, tools: list(text), rules: list(rule), step_limit: count };
const agentView: JsonSchema = named('native.Agent', object(fields, wholeFields));
const wholeAgentView: JsonSchema = named('native.WholeAgent', object({ ...fields, ...wholeFields }));

const agentId: Parameter = { name: 'agent_id', in: 'path', description: "The agent's id.", schema: uuid };
const byName: Parameter = { ...agentId, description: "The agent's id or name.", schema: text };
const ofNewAgent = { operation: 'createAgent', parameters: { agent_id: '$response.body#/id' } };
const administration: Refused = {
  given: 'keyWithoutAdmin',
  request: { headers: { authorization: 'Bearer {key}' } },
  fail: () => requireScope({ scopes: new Set() }, 'admin'),
};
const whole = { status: 200, json: { schema: wholeAgentView, example: toWholeAgentView(sampleAgent) } } as const;
const gardener = { name: 'gardener', instructions: 'You help people who garden.', tools: ['clock', 'weather'] };

const listAgents: Operation = {
  id: 'listAgents',
  summary: 'The agents that a thread or run may name, by name',
  description: "Instructions, tools and rules are shown to a server's key with the scope `admin` only.",
  parameters: [actingUser, cursor, limit],
  answers: [
    {
      status: 200,
      description: "One page: the application's own agents and those of the server.",
      json: { schema: page(agentView), example: { data: [toAgentView(sampleAgent)], next_cursor: null } },
    },
  ],
  refused: [
    { request: { query: { limit: '0' } }, fail: () => readPage({ limit: '0' }) },
    { request: { query: { cursor: 'abc' } }, fail: () => readAgentCursor('abc') },
  ],
};

const createAgent: Operation = {
  id: 'createAgent',
  repeatable: true,
  summary: "Make an agent of the caller's application",
  description:
    'Tools are named as the server has them, `<server>/*` for all of an MCP server. Without a rule, tools that only read are allowed and all others ask.',
  parameters: [actingUser],
  body: {
    examples: {
      plain: gardener,
      whole: {
        ...gardener,
        name: 'careful-gardener',
        description: 'Asks before it looks',
        greeting: 'What shall grow?',
        rules: [{ tool: 'weather', rule: 'ask' }],
        step_limit: 10,
      },
    },
  },
  answers: [{ ...whole, status: 201, description: 'It is there.', headers: ['Location'] }],
  errors: ['state_conflict', 'model_unknown'],
  refused: [
    { request: { body: { ...gardener, runtime: 'langgraph' } } },
    { request: { body: { name: '' } } },
    { request: { body: { ...gardener, tools: ['no such form'] } } },
    administration,
  ],
};

const showAgent: Operation = {
  id: 'showAgent',
  summary: 'One agent in its latest version',
  parameters: [actingUser, byName],
  needs: ofNewAgent,
  answers: [{ status: 200, description: 'The agent.', json: { schema: agentView, example: toWholeAgentView(sampleAgent) } }],
  errors: ['agent_not_found'],
};

const changeAgent: Operation = {
  id: 'changeAgent',
  summary: 'Change what the body names, as a new version; the rest stays',
  description: 'Runs that have begun keep their version. With `version`, only if that is the latest one.',
  parameters: [actingUser, agentId],
  body: { examples: { tools: { tools: ['clock'] }, nothing: { greeting: null } } },
  needs: ofNewAgent,
  answers: [{ ...whole, description: 'The agent as it is now.' }],
  errors: ['agent_not_found', 'state_conflict', 'model_unknown'],
  refused: [{ request: { body: { step_limit: 0 } } }, { request: { body: { built_in: true } } }, administration],
};

const deleteAgent: Operation = {
  id: 'deleteAgent',
  summary: 'Delete an agent; runs that have begun go on',
  parameters: [actingUser, agentId],
  needs: ofNewAgent,
  answers: [{ status: 204, description: 'It is gone.' }],
  errors: ['agent_not_found', 'state_conflict'],
  refused: [administration],
};

const listVersions: Operation = {
  id: 'listAgentVersions',
  summary: 'The versions of an agent, newest first',
  parameters: [actingUser, agentId, cursor, limit],
  needs: ofNewAgent,
  answers: [
    {
      status: 200,
      description: 'One page.',
      json: { schema: page(wholeAgentView), example: { data: [toWholeAgentView(sampleAgent)], next_cursor: null } },
    },
  ],
  errors: ['agent_not_found'],
  refused: [
    { request: { query: { limit: '0' } }, fail: () => readPage({ limit: '0' }) },
    { request: { query: { cursor: 'abc' } }, fail: () => readVersionCursor('abc') },
    administration,
  ],
};

/** What the routes of agents do. */
export const agentOperations: Readonly<Record<string, Operation>> = {
  'GET /agents': listAgents,
  'POST /agents': createAgent,
  'GET /agents/:agent_id': showAgent,
  'PATCH /agents/:agent_id': changeAgent,
  'DELETE /agents/:agent_id': deleteAgent,
  'GET /agents/:agent_id/versions': listVersions,
};

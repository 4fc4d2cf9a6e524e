import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Agent } from '../../core/agent.ts';
import { type AgentId, parseUuid } from '../../core/ids.ts';
import { agentNotFound } from '../../core/refusals.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { readAgentCursor, readVersionCursor, writeAgentCursor, writeVersionCursor } from '../../http/list-cursor.ts';
import { toAgentView, toWholeAgentView } from './agent-view.ts';
import { ChangeAgentBody, CreateAgentBody, readAgentChanges, readNewAgent } from './agent-wire.ts';
import { readPage } from './prompt-wire.ts';
import { callerIn, principalIn, type RouteNeeds } from './request.ts';

/** Adds the agents of the caller's application. Whoever changes them needs a server's key with the scope `admin`. */
export function registerAgentRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  const administration = { config: { needs: 'admin' } satisfies RouteNeeds };
  scope.get('/agents', (request) => listAgents(deps, request));
  scope.get('/agents/:agent_id', (request) => showAgent(deps, request));
  scope.get('/agents/:agent_id/versions', administration, (request) => listVersions(deps, request));
  scope.post('/agents', { ...administration, schema: { body: CreateAgentBody } }, (request, reply) => createAgent(deps, request, reply));
  scope.patch('/agents/:agent_id', { ...administration, schema: { body: ChangeAgentBody } }, (request) => changeAgent(deps, request));
  scope.delete('/agents/:agent_id', administration, (request, reply) => deleteAgent(deps, request, reply));
}

/** Instructions and tools are nothing that the users of an application have to see. */
function viewFor(request: FastifyRequest): (agent: Agent) => object {
  const { kind, scopes } = principalIn(request);
  return kind === 'key' && scopes.has('admin') ? toWholeAgentView : toAgentView;
}

async function listAgents({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const { limit, cursor } = readPage(request.query);
  const after = cursor === null ? null : readAgentCursor(cursor);
  const found = await engine.agents.list(callerIn(request), { limit: limit + 1, after });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data: data.map(viewFor(request)), next_cursor: last && found.length > limit ? writeAgentCursor(last.name) : null };
}

/** The agent in the path: its UUID or its name. */
function namedIn(request: FastifyRequest): string {
  return (request.params as { agent_id?: string }).agent_id ?? '';
}

/** The agent in the path; what is no id is an agent that does not exist. */
function agentIn(request: FastifyRequest): AgentId {
  const id = parseUuid<AgentId>(namedIn(request));
  if (!id) throw agentNotFound();
  return id;
}

async function showAgent({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  return viewFor(request)(await engine.agents.find(callerIn(request), namedIn(request)));
}

async function listVersions({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const { limit, cursor } = readPage(request.query);
  const before = cursor === null ? null : readVersionCursor(cursor);
  const found = await engine.agents.versions(callerIn(request), agentIn(request), { before, limit: limit + 1 });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data: data.map(toWholeAgentView), next_cursor: last && found.length > limit ? writeVersionCursor(last) : null };
}

async function createAgent({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const wanted = readNewAgent(request.body as CreateAgentBody);
  const { agent, replayed } = await engine.agents.create(callerIn(request), wanted, readRepeatKey(request, 'native'));
  if (replayed) reply.header('idempotent-replayed', 'true');
  reply.code(201).header('location', `/polylogue/v1/agents/${agent.id}`);
  return toWholeAgentView(agent);
}

async function changeAgent({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const body = request.body as ChangeAgentBody;
  const change = { changes: readAgentChanges(body), ...(body.version !== undefined && { version: body.version }) };
  return toWholeAgentView(await engine.agents.change(callerIn(request), agentIn(request), change));
}

async function deleteAgent({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  await engine.agents.delete(callerIn(request), agentIn(request));
  await reply.code(204).send();
}

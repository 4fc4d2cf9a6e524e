import type { Agent, AgentDefinition } from '../../../core/agent.ts';
import type { SaveAgent, SaveAgentResult } from '../../../core/ports/agent-store.ts';
import { type AgentRow, CONFIGURATION, findLatestRow, lockAgents, toAgent } from './agents.ts';
import { findRepeat, keepResult } from './idempotency.ts';
import { lockNames } from './locks.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { AgentsTable, AgentVersionsTable } from './schema-agents.ts';
import type { Session } from './session.ts';
import { ensureUser } from './users.ts';

const known = prepared((db, param: Param<{ id: string }>) =>
  db.selectFrom('agents').select(['application_id', 'deleted']).where('id', '=', param('id')),
);

const taken = prepared((db, param: Param<{ application: string; name: string; id: string }>) =>
  db
    .selectFrom('agents')
    .select('id')
    .where('application_id', '=', param('application'))
    .where('name', '=', param('name'))
    .where('deleted', '=', 0)
    .where('id', '!=', param('id')),
);

const save = prepared((db, param: Param<{ [Column in keyof AgentsTable]: AgentsTable[Column] }>) =>
  db
    .insertInto('agents')
    .values({
      id: param('id'),
      application_id: param('application_id'),
      name: param('name'),
      version: param('version'),
      deleted: param('deleted'),
    })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({
        name: eb.ref('excluded.name'),
        version: eb.ref('excluded.version'),
        deleted: eb.ref('excluded.deleted'),
      })),
    ),
);

const addVersion = prepared((db, param: Param<{ [Column in keyof AgentVersionsTable]: AgentVersionsTable[Column] }>) =>
  db.insertInto('agent_versions').values({
    agent_id: param('agent_id'),
    version: param('version'),
    created_at: param('created_at'),
    name: param('name'),
    definition: param('definition'),
  }),
);

/** Stores a version, if it is one; what was asked for under the same key before is given again. */
export async function saveAgent(session: Session, input: SaveAgent): Promise<SaveAgentResult> {
  const { repeat, now } = input;
  if (!repeat) return saveVersion(session, input);
  const { owner, idempotency } = repeat;
  await lockNames(session, owner, [`repeat ${idempotency.key}`]);
  const user = await ensureUser(session, owner, now);
  const earlier = await findRepeat<{ agent: Agent }>(session, { userId: user.id, idempotency, now });
  if (earlier === 'mismatch') return 'idempotency_mismatch';
  if (earlier !== null) return { replayed: earlier.agent };
  const agent = await saveVersion(session, input);
  // Under the agent's id, with which it goes.
  if (typeof agent !== 'string') await keepResult(session, { userId: user.id, idempotency, threadKey: agent.id, result: { agent }, now });
  return agent;
}

async function saveVersion(session: Session, input: SaveAgent): Promise<Agent | 'name_taken' | 'version_conflict'> {
  const { id, name, now } = input;
  const application = input.applicationId ?? CONFIGURATION;
  await lockAgents(session, application);
  const latest = await findLatestRow(session, id);
  if (!(await isExpected(session, input, latest))) return 'version_conflict';
  if ((await taken.first(session, { application, name, id })) !== undefined) return 'name_taken';
  const definition = textOf(input.definition);
  const same = latest?.name === name && latest.definition === definition;
  if (same && latest.deleted === 0) return toAgent(latest);
  const row: AgentRow = same
    ? { ...latest, deleted: 0 }
    : { agent_id: id, application_id: application, name, version: (latest?.version ?? 0) + 1, definition, created_at: now, deleted: 0 };
  await save.run(session, { id, application_id: application, name, version: row.version, deleted: 0 });
  if (!same) await addVersion.run(session, row);
  return toAgent(row);
}

/** Whether this may follow the agent's latest version. */
async function isExpected(session: Session, input: SaveAgent, latest: AgentRow | undefined): Promise<boolean> {
  const { id, applicationId, expectedVersion } = input;
  const agent = await known.first(session, { id });
  if (agent !== undefined && agent.application_id !== (applicationId ?? CONFIGURATION)) return false;
  // Of a deleted agent of an application not all versions are there any more.
  if (agent?.deleted === 1 && applicationId !== null) return false;
  const current = agent?.deleted === 0 ? latest?.version : 0;
  return expectedVersion === undefined || expectedVersion === (current ?? 0);
}

/** The same for the same definition, whatever the order of its fields and whatever else stands in it. */
function textOf(definition: AgentDefinition): string {
  const { description, instructions, greeting, model, runtime, module, tools, rules, stepLimit } = definition;
  const plain = rules.map(({ tool, rule }) => ({ tool, rule }));
  return JSON.stringify({ description, instructions, greeting, model, runtime, module, tools, rules: plain, stepLimit });
}

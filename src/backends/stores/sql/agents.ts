import type { Kysely } from 'kysely';
import type { Agent, AgentDefinition } from '../../../core/agent.ts';
import type { AgentId, ApplicationId } from '../../../core/ids.ts';
import type { AgentPage, AgentRef } from '../../../core/ports/agent-store.ts';
import { lockExactly } from './locks.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Database } from './schema.ts';
import type { AgentsTable, AgentVersionsTable } from './schema-agents.ts';
import type { Session } from './session.ts';
import { isStorable } from './storable.ts';

/** What the application of an agent of configuration is called in the tables. */
export const CONFIGURATION = '';

/** A version with what is known of its agent. */
export type AgentRow = AgentVersionsTable & Pick<AgentsTable, 'application_id' | 'deleted'>;

/** Every version of every agent, deleted ones included. */
function allVersions(db: Kysely<Database>) {
  return db
    .selectFrom('agents')
    .innerJoin('agent_versions', 'agent_versions.agent_id', 'agents.id')
    .selectAll('agent_versions')
    .select(['agents.application_id', 'agents.deleted']);
}

function latestVersions(db: Kysely<Database>) {
  return allVersions(db).whereRef('agent_versions.version', '=', 'agents.version');
}

/** The latest versions of what an application may use, its own ones first. */
function usable(db: Kysely<Database>, application: string) {
  return latestVersions(db).where('agents.deleted', '=', 0).where('agents.application_id', 'in', [application, CONFIGURATION]);
}

const latest = prepared((db, param: Param<{ id: string }>) => latestVersions(db).where('agents.id', '=', param('id')));

const byId = prepared((db, param: Param<{ application: string; id: string }>) =>
  usable(db, param('application')).where('agents.id', '=', param('id')),
);

const byName = prepared((db, param: Param<{ application: string; name: string }>) =>
  usable(db, param('application')).where('agents.name', '=', param('name')).orderBy('agents.application_id', 'desc').limit(1),
);

const named = prepared((db, param: Param<{ application: string; after: string; limit: number }>) =>
  usable(db, param('application'))
    .where('agents.name', '>', param('after'))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('agents as own')
            .select('own.id')
            .whereRef('own.application_id', '>', 'agents.application_id')
            .where('own.application_id', '=', param('application'))
            .whereRef('own.name', '=', 'agents.name')
            .where('own.deleted', '=', 0),
        ),
      ),
    )
    .orderBy('agents.name')
    .limit(param('limit')),
);

const before = prepared((db, param: Param<{ id: string; before: number; limit: number }>) =>
  allVersions(db)
    .where('agents.id', '=', param('id'))
    .where('agent_versions.version', '<', param('before'))
    .orderBy('agent_versions.version', 'desc')
    .limit(param('limit')),
);

const one = prepared((db, param: Param<{ id: string; version: number }>) =>
  allVersions(db).where('agents.id', '=', param('id')).where('agent_versions.version', '=', param('version')),
);

/** Changes of an application's agents follow one another, so that names stay unique and versions dense. */
export async function lockAgents(session: Session, application: string): Promise<void> {
  await lockExactly(session, JSON.stringify(['agents', application]));
}

/** An agent's latest version, whosever it is, also when it is deleted. */
export function findLatestRow(session: Session, id: AgentId): Promise<AgentRow | undefined> {
  return latest.first(session, { id });
}

/** The latest version of what the application may use. */
export async function findAgent(session: Session, applicationId: ApplicationId, ref: AgentRef): Promise<Agent | null> {
  const application = applicationId;
  if (!isStorable(application) || !isStorable('id' in ref ? ref.id : ref.name)) return null;
  const row = await ('id' in ref
    ? byId.first(session, { application, id: ref.id })
    : byName.first(session, { application, name: ref.name }));
  return row === undefined ? null : toAgent(row);
}

/** What an application can use, or what is configured, by name; its own before what is configured under the same name. */
export async function listAgents(session: Session, applicationId: ApplicationId | null, page: AgentPage): Promise<readonly Agent[]> {
  const application = applicationId ?? CONFIGURATION;
  const after = page.after ?? '';
  if (!isStorable(application) || !isStorable(after)) return [];
  return (await named.all(session, { application, after, limit: page.limit })).map(toAgent);
}

/** Versions before `before`, newest first; null when the application has no such agent. */
export async function listAgentVersions(
  session: Session,
  input: { applicationId: ApplicationId; id: AgentId; before: number | null; limit: number },
): Promise<readonly Agent[] | null> {
  const { applicationId, id, limit } = input;
  if ((await findAgent(session, applicationId, { id })) === null) return null;
  return (await before.all(session, { id, before: input.before ?? Number.MAX_SAFE_INTEGER, limit })).map(toAgent);
}

/** A version, also of an agent that is deleted. */
export async function findAgentVersion(session: Session, id: AgentId, version: number): Promise<Agent | null> {
  const row = isStorable(id) ? await one.first(session, { id, version }) : undefined;
  return row === undefined ? null : toAgent(row);
}

/** The version as the engine sees it. */
export function toAgent(row: AgentRow): Agent {
  return {
    ...(JSON.parse(row.definition) as AgentDefinition),
    id: row.agent_id as AgentId,
    applicationId: row.application_id === CONFIGURATION ? null : (row.application_id as ApplicationId),
    name: row.name,
    version: row.version,
    createdAt: row.created_at,
  };
}

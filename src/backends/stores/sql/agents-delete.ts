import type { AgentId, ApplicationId } from '../../../core/ids.ts';
import { CONFIGURATION, lockAgents } from './agents.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { snapshotOf } from './rows.ts';
import { builders, runOf, type Session } from './session.ts';
import { isStorable } from './storable.ts';

const hide = prepared((db, param: Param<{ application: string; id: string }>) =>
  db
    .updateTable('agents')
    .set({ deleted: 1 })
    .where('id', '=', param('id'))
    .where('application_id', '=', param('application'))
    .where('deleted', '=', 0),
);

const hidden = prepared((db) => db.selectFrom('agents').select('id').where('deleted', '=', 1).where('application_id', '!=', CONFIGURATION));

const unfinished = prepared((db, param: Param<{ pattern: string }>) =>
  db.selectFrom('runs').select('snapshot').where('ended_at', 'is', null).where('snapshot', 'like', param('pattern')),
);

const removals = [
  prepared((db, param: Param<{ id: string }>) => db.deleteFrom('agent_versions').where('agent_id', '=', param('id'))),
  prepared((db, param: Param<{ id: string }>) => db.deleteFrom('tool_pins').where('agent_id', '=', param('id'))),
  prepared((db, param: Param<{ id: string }>) => db.deleteFrom('agents').where('id', '=', param('id'))),
];

const forgetResults = prepared((db, param: Param<{ id: string }>) =>
  db.deleteFrom('idempotency_keys').where('thread_key', '=', param('id')),
);

/** Hides an agent from its application, and removes of an application's own all that no unfinished run goes by. */
export async function deleteAgent(session: Session, applicationId: ApplicationId | null, id: AgentId): Promise<boolean> {
  const application = applicationId ?? CONFIGURATION;
  if (!isStorable(application) || !isStorable(id)) return false;
  await lockAgents(session, application);
  if ((await hide.run(session, { application, id })) === 0) return false;
  forgetResults.post(session, { id });
  if (applicationId !== null) await forget(session, id);
  return true;
}

/** Removes what unfinished runs have kept of deleted agents, once these have ended. */
export async function forgetDeletedAgents(session: Session): Promise<void> {
  for (const { id } of await hidden.all(session, {})) await forget(session, id);
}

async function forget(session: Session, id: string): Promise<void> {
  const versions = await versionsInUse(session, id);
  if (versions.length === 0) for (const removal of removals) removal.post(session, { id });
  else {
    const others = builders[session.dialect].deleteFrom('agent_versions').where('agent_id', '=', id).where('version', 'not in', versions);
    await runOf(session, others);
  }
}

async function versionsInUse(session: Session, id: string): Promise<readonly number[]> {
  const rows = await unfinished.all(session, { pattern: `%"id":"${id}"%` });
  const pins = rows.map(({ snapshot }) => snapshotOf(JSON.parse(snapshot)).agent).filter((pin) => pin?.id === id);
  return [...new Set(pins.flatMap((pin) => pin?.version ?? []))];
}

import type { AgentId } from '../../../core/ids.ts';
import type { AgentStore } from '../../../core/ports/agent-store.ts';
import type { ToolDefinition, ToolPin } from '../../../core/tool.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { ToolPinsTable } from './schema-agents.ts';
import type { Session } from './session.ts';

type Columns = { [Column in keyof ToolPinsTable]: ToolPinsTable[Column] };

const ofAgent = prepared((db, param: Param<{ agent: string }>) =>
  db.selectFrom('tool_pins').selectAll().where('agent_id', '=', param('agent')).orderBy('tool'),
);

const valuesOf = (param: Param<Columns>): Columns => ({
  agent_id: param('agent_id'),
  tool: param('tool'),
  digest: param('digest'),
  pinned_at: param('pinned_at'),
  definition: param('definition'),
});

const addNew = prepared((db, param: Param<Columns>) =>
  db
    .insertInto('tool_pins')
    .values(valuesOf(param))
    .onConflict((conflict) => conflict.columns(['agent_id', 'tool']).doNothing()),
);

const put = prepared((db, param: Param<Columns>) =>
  db
    .insertInto('tool_pins')
    .values(valuesOf(param))
    .onConflict((conflict) =>
      conflict.columns(['agent_id', 'tool']).doUpdateSet((eb) => ({
        digest: eb.ref('excluded.digest'),
        pinned_at: eb.ref('excluded.pinned_at'),
        definition: eb.ref('excluded.definition'),
      })),
    ),
);

/** The tools that an agent trusts, by name. */
export async function toolPins(session: Session, agentId: AgentId): Promise<readonly ToolPin[]> {
  const rows = await ofAgent.all(session, { agent: agentId });
  return rows.map(({ tool, digest, definition }) => ({ tool, digest, definition: JSON.parse(definition) as ToolDefinition }));
}

/** Lets an agent trust tools; in one order, so that servers which pin the same ones do not wait for each other in a circle. */
export async function pinTools(session: Session, input: Parameters<AgentStore['pinTools']>[0]): Promise<void> {
  const { agentId, pins, onlyNew, now } = input;
  const ordered = pins.toSorted((one, other) => (one.tool < other.tool ? -1 : 1));
  for (const { tool, digest, definition } of ordered) {
    const row: Columns = { agent_id: agentId, tool, digest, pinned_at: now, definition: JSON.stringify(definition) };
    (onlyNew ? addNew : put).post(session, row);
  }
}

import type { AgentStore } from '../../../core/ports/agent-store.ts';
import type { ApprovalStore } from '../../../core/ports/approval-store.ts';
import type { CheckpointStore } from '../../../core/ports/checkpoint-store.ts';
import { findAgent, findAgentVersion, listAgents, listAgentVersions } from './agents.ts';
import { deleteAgent } from './agents-delete.ts';
import { saveAgent } from './agents-save.ts';
import { listCheckpoints, putCheckpoints } from './checkpoints.ts';
import type { Db } from './db.ts';
import { decideApproval, expireApprovals } from './decide-approval.ts';
import { pinTools, toolPins } from './tool-pins.ts';

/** The store's operations on agents, and on what their runs keep and wait for. */
export function agentOperations(db: Db): AgentStore & ApprovalStore & CheckpointStore {
  const { session } = db;
  return {
    saveAgent: (input) => saveAgent(session, input),
    findAgent: (applicationId, ref) => findAgent(session, applicationId, ref),
    listAgents: (applicationId, page) => listAgents(session, applicationId, page),
    listAgentVersions: (applicationId, id, page) => listAgentVersions(session, { applicationId, id, ...page }),
    findAgentVersion: (id, version) => findAgentVersion(session, id, version),
    deleteAgent: (applicationId, id) => deleteAgent(session, applicationId, id),
    toolPins: (agentId) => toolPins(session, agentId),
    pinTools: (input) => pinTools(session, input),
    decideApproval: (input) => decideApproval(db, input),
    expireApprovals: (now) => expireApprovals(db, now),
    putCheckpoints: (run, checkpoints) => putCheckpoints(session, run, checkpoints),
    listCheckpoints: (runId, prefix) => listCheckpoints(session, runId, prefix),
  };
}

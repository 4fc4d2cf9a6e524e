import { expect, test } from 'vitest';
import { agentTask } from '../../../test/support/agent-tasks.ts';
import { recordingObserver } from '../../../test/support/runs.ts';
import type { AgentRuntime } from '../../core/ports/agent-runtime.ts';
import type { RunFact } from '../../core/run-event.ts';
import { createCanResume } from './answer-by-agent.ts';

const enters = (name: string): RunFact => ({ type: 'node.entered', name });
const restarts: RunFact = { type: 'run.restarted', attempt: 2 };
const called: RunFact = { type: 'tool.called', call_id: 'a', name: 'look', arguments: '{}', called_at: '2026-11-20T10:00:00.000Z' };
const willing: AgentRuntime = { canResume: () => true, run: () => Promise.reject(new Error('Nothing is run here')) };

function canResume(before: readonly RunFact[]): Promise<boolean> {
  const { agent, run } = agentTask().task;
  const store = { findAgentVersion: async () => ({ ...agent, runtime: 'langgraph' as const }) };
  const snapshot = { ...run.snapshot, agent: { id: agent.id, name: agent.name, version: 1 } };
  return createCanResume({ store, runtimes: async () => willing, observer: recordingObserver() })({ ...run, snapshot }, before);
}

test.each<[string, readonly RunFact[], boolean]>([
  ['goes on behind two restarts in a row', [called, restarts, restarts], true],
  ['ends at the third', [called, restarts, restarts, restarts], false],
  ['goes on when something came of the last', [restarts, restarts, restarts, called], true],
  [
    'ends in a node that is entered again each time',
    [enters('a'), restarts, enters('a'), restarts, enters('a'), restarts, enters('a')],
    false,
  ],
  ['goes on in a node that says something each time', [enters('a'), restarts, enters('a'), called, restarts, enters('a'), restarts], true],
  ['goes on from node to node', [enters('a'), restarts, enters('a'), enters('b'), restarts, enters('b'), restarts], true],
])('a run that was restarted %s', async (_how, before, expected) => {
  expect(await canResume(before)).toBe(expected);
});

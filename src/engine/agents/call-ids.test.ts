import { expect, test } from 'vitest';
import type { RunFact } from '../../core/run-event.ts';
import { createCallClaims } from './call-ids.ts';
import { readEarlierCalls } from './earlier-calls.ts';

const enters = (name: string): RunFact => ({ type: 'node.entered', name });
const restarts = (attempt: number): RunFact => ({ type: 'run.restarted', attempt });
const calls = (call_id: string): RunFact => {
  return { type: 'tool.called', call_id, name: 'write', arguments: '{}', called_at: '2026-11-20T10:00:00.000Z' };
};

/** Which earlier call the same request under another id is taken for, in a node that is run again. */
function claimed(before: readonly RunFact[]): string | null {
  const claim = createCallClaims({ earlier: readEarlierCalls(before), replays: true, repeatable: () => false });
  return claim({ call_id: 'another', name: 'write', arguments: '{}' }).earlier?.callId ?? null;
}

test.each<[string, readonly RunFact[], string | null]>([
  ['in the node that was broken off', [enters('work'), calls('a')], 'a'],
  ['in a node that was broken off twice', [enters('work'), calls('a'), restarts(2), enters('work')], 'a'],
  ['in one that was broken off three times', [enters('work'), calls('a'), restarts(2), enters('work'), restarts(3), enters('work')], 'a'],
  ['in a node that has ended', [enters('work'), calls('a'), enters('end')], null],
  ['in a node that has ended behind a restart', [enters('work'), calls('a'), restarts(2), enters('work'), enters('end')], null],
  ['in an earlier round of a loop', [enters('work'), calls('a'), enters('work')], null],
])('a call %s', (_where, before, expected) => {
  expect(claimed(before)).toBe(expected);
});

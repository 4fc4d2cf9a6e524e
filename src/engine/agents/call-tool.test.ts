import { expect, test } from 'vitest';
import { createFakeClock, settle } from '../../../test/support/fake-clock.ts';
import { recordingObserver } from '../../../test/support/runs.ts';
import type { RunId, ThreadId } from '../../core/ids.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Tool, ToolContext } from '../../core/ports/tool.ts';
import { callTool } from './call-tool.ts';

const CALL_MS = 60_000;

/** A call of a tool that never answers, with what it was told and how it came out. */
function startCall() {
  const clock = createFakeClock();
  let told: ToolContext | null = null;
  const tool: Tool = {
    name: 'endless',
    description: '',
    parameters: { type: 'object' },
    readOnly: true,
    call(_args, context) {
      told = context;
      return new Promise(() => undefined);
    },
  };
  const context = {
    owner: { applicationId: DEFAULT_APPLICATION, userId: 'ann' },
    threadId: 'thread' as ThreadId,
    runId: 'run' as RunId,
    signal: new AbortController().signal,
  };
  const outcomes: unknown[] = [];
  const ports = { clock, observer: recordingObserver(), callMs: CALL_MS };
  void callTool(ports, tool, { args: {}, context }).then((outcome) => outcomes.push(outcome));
  return { clock, outcomes, tell: () => told?.progress(), signal: () => told?.signal };
}

test('a call that says nothing ends when its time is over, and its tool is told', async () => {
  const { clock, outcomes, signal } = startCall();
  clock.advance(CALL_MS - 1);
  await settle();
  expect([outcomes, signal()?.aborted]).toEqual([[], false]);
  clock.advance(1);
  await settle();
  expect(outcomes).toEqual([{ status: 'failed', result: 'The tool did not answer in time: it has 60 seconds' }]);
  expect(signal()?.aborted).toBe(true);
});

test('progress begins the time anew, and no progress is more than ten times of it', async () => {
  const { clock, outcomes, tell } = startCall();
  for (let half = 0; half < 19; half += 1) {
    clock.advance(CALL_MS / 2);
    tell();
  }
  await settle();
  expect(outcomes).toEqual([]);
  clock.advance(CALL_MS / 2);
  await settle();
  expect(outcomes).toMatchObject([{ status: 'failed' }]);
});

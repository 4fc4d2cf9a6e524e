import fc from 'fast-check';
import { expect, test } from 'vitest';
import { completedFact, stubRun, textFact } from '../../../test/support/stub-engine.ts';
import { logEvent, type RunFact } from '../../core/run-event.ts';
import { chatWsFormat } from './encode.ts';

const started: RunFact = {
  type: 'run.started',
  thread_id: stubRun.threadId,
  message_id: stubRun.messageId,
  answer_id: stubRun.answerId,
  model: 'gpt-4',
  attempt: 1,
};
const job = { thread_id: stubRun.threadId, job_id: stubRun.id };

function framesOf(facts: readonly RunFact[]): readonly string[] {
  const encode = chatWsFormat.createEncoder();
  return facts.flatMap((fact, index) => encode(logEvent(stubRun.id, index + 1, fact)).map(({ data }) => data));
}

test('every fact has its frame, or none', () => {
  const facts: RunFact[] = [
    started,
    { type: 'node.entered', name: 'classify' },
    { type: 'reasoning.appended', message_id: stubRun.answerId, text: 'hm' },
    { type: 'tool.called', call_id: 'c', name: 'search', arguments: '{}', called_at: '2026-11-20T10:00:00.000Z' },
    { type: 'approval.requested', call_id: 'c', name: 'search', arguments: '{}', expires_at: '2026-11-20T10:00:00.000Z' },
    { type: 'approval.decided', call_id: 'c', decision: 'approve', arguments: null, expired: false },
    { type: 'tool.returned', call_id: 'c', name: 'search', status: 'completed', result: 'found', returned_at: '2026-11-20T10:00:00.000Z' },
    { type: 'run.restarted', attempt: 2 },
    { ...textFact('Hi'), at: 3 } as RunFact,
    { type: 'usage.recorded', usage: { input_tokens: 1, output_tokens: 1 } },
    completedFact,
  ];
  expect(framesOf(facts).map((data) => JSON.parse(data))).toEqual([
    { type: 'node', ...job, name: 'classify' },
    { type: 'tool', ...job, name: 'search', call_id: 'c', status: 'running' },
    { type: 'approval', ...job, call_id: 'c', name: 'search', arguments: '{}', expires_at: '2026-11-20T10:00:00.000Z' },
    { type: 'approval', ...job, call_id: 'c', decision: 'approve', expired: false },
    { type: 'tool', ...job, name: 'search', call_id: 'c', status: 'completed' },
    { type: 'token', ...job, id: stubRun.answerId, role: 'assistant', content: 'Hi', at: 3 },
  ]);
});

test('a failure says why, also before the run has begun', () => {
  const failed: RunFact = { type: 'run.failed', code: 'upstream_timeout', detail: 'Too slow', retryable: true };
  const words = { type: 'error', message: 'Too slow', code: 'upstream_timeout' };
  expect(framesOf([started, failed]).map((data) => JSON.parse(data))).toEqual([{ ...words, ...job }]);
  expect(framesOf([failed]).map((data) => JSON.parse(data))).toEqual([{ ...words, job_id: stubRun.id }]);
});

test('the tokens of any text are the text, each frame one line', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\n', '\r\n', '[DONE]', '\n\nevent: x\n\n', '\u2028', '"}\n{"type":"message"}'),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const frames = framesOf([started, ...pieces.map(textFact), completedFact]);
      expect(frames.some((data) => data.includes('\n'))).toBe(false);
      expect(frames.map((data) => JSON.parse(data).content).join('')).toBe(pieces.join(''));
    }),
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageId, RunId, ThreadId } from '../../core/ids.ts';
import { logEvent, type RunFact } from '../../core/run-event.ts';
import type { Frame } from '../../http/stream-format.ts';
import { leviaStream } from './encode.ts';

const answerId = 'answer' as MessageId;
function completed(reply: string): RunFact {
  const message = { id: answerId, seq: 2, role: 'assistant', status: 'completed', parts: [{ type: 'text', text: reply }] } as const;
  return { type: 'run.completed', message, usage: null, model: 'gpt-4', finish_reason: 'stop' };
}

function text(value: string): RunFact {
  return { type: 'text.appended', message_id: answerId, text: value, at: 0 };
}

function framesOf(facts: readonly RunFact[]): Frame[] {
  const encode = leviaStream.createEncoder();
  return facts.flatMap((fact, index) => encode(logEvent('run' as RunId, index + 1, fact)));
}

function dataOf(facts: readonly RunFact[]): string[] {
  return framesOf(facts).map((frame) => frame.data);
}

describe('levia stream', () => {
  it('streams text and completes with the whole of it', () => {
    const started: RunFact = {
      type: 'run.started',
      thread_id: 't' as ThreadId,
      message_id: 'q' as MessageId,
      answer_id: answerId,
      model: 'gpt-4',
      attempt: 1,
    };
    expect(dataOf([started, text('Hello '), text('world'), completed('Hello world')])).toEqual([
      '{"type":"stream","data":{"content":"Hello ","type":"text"}}',
      '{"type":"stream","data":{"content":"world","type":"text"}}',
      '{"type":"complete","data":{"reply":"Hello world"}}',
    ]);
  });

  it('shows steps and thoughts beside the text', () => {
    const facts: RunFact[] = [
      { type: 'node.entered', name: 'plan' },
      { type: 'reasoning.appended', message_id: answerId, text: 'hm' },
      { type: 'tool.called', call_id: 'c', name: 'search', arguments: '{}', called_at: '2026-11-20T10:00:00.000Z' },
      {
        type: 'tool.returned',
        call_id: 'c',
        name: 'search',
        status: 'completed',
        result: 'secret',
        returned_at: '2026-11-20T10:00:00.000Z',
      },
      { type: 'usage.recorded', usage: { input_tokens: 1, output_tokens: 1 } },
    ];
    expect(dataOf(facts)).toEqual([
      '{"type":"stream","data":{"content":"plan","type":"steps"}}',
      '{"type":"stream","data":{"content":"hm","type":"think"}}',
      '{"type":"stream","data":{"content":"Running search","type":"steps"}}',
      '{"type":"stream","data":{"content":"search: completed","type":"steps"}}',
    ]);
  });

  it('says why there is no answer', () => {
    expect(dataOf([{ type: 'run.failed', code: 'x', detail: 'The model is away', retryable: true }])).toEqual([
      '{"type":"error","data":{"error":"The model is away"}}',
    ]);
    expect(dataOf([{ type: 'run.cancelled' }])).toEqual(['{"type":"error","data":{"error":"The request was cancelled"}}']);
  });
});

describe('levia frames', () => {
  it('are ASCII', () => {
    expect(dataOf([text('é\x7f\u2028😀')])).toEqual([
      '{"type":"stream","data":{"content":"\\u00e9\\u007f\\u2028\\ud83d\\ude00","type":"text"}}',
    ]);
  });

  it('carry a long text in numbered parts of whole characters below 64 KB', () => {
    const frames = framesOf([text(`a${'😀'.repeat(12_000)}`)]);
    expect(frames.map((frame) => frame.part)).toEqual([1, 2, 3]);
    for (const frame of frames) {
      expect(frame.data.length).toBeLessThan(65_536);
      expect(JSON.parse(frame.data).data.content.isWellFormed()).toBe(true);
    }
  });

  it('join to the reply', () => {
    const unit = fc.string({ unit: 'binary', maxLength: 20 });
    const piece = fc.oneof(
      unit,
      unit.map((value) => value.repeat(2_000)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (deltas) => {
        const frames = framesOf([...deltas.map(text), completed(deltas.join(''))]).map(({ data }) => ({ data, payload: JSON.parse(data) }));
        const reply = frames.pop();
        for (const { data } of frames) {
          expect(data).toMatch(/^[ -~]*$/);
          expect(data.length).toBeLessThan(65_536);
        }
        expect(reply?.payload).toEqual({ type: 'complete', data: { reply: deltas.join('') } });
        expect(frames.map(({ payload }) => payload.data.content).join('')).toBe(deltas.join(''));
      }),
    );
  });
});

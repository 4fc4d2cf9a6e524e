import { describe, expect, it } from 'vitest';
import type { MessageId, RunId } from '../../core/ids.ts';
import { logEvent, type RunFact } from '../../core/run-event.ts';
import { frameId } from '../../http/sse.ts';
import { graphStream } from './encode.ts';

const answerId = 'answer' as MessageId;
const text = (value: string): RunFact => ({ type: 'text.appended', message_id: answerId, text: value, at: 0 });
const completed: RunFact = {
  type: 'run.completed',
  message: { id: answerId, seq: 2, role: 'assistant', status: 'completed', parts: [] },
  usage: null,
  model: 'gpt-4',
  finish_reason: 'stop',
};
const failed = (detail: string): RunFact => ({ type: 'run.failed', code: 'x', detail, retryable: false });

/** `id event data` of each frame. */
function framesOf(...facts: readonly RunFact[]): string[][] {
  const encode = graphStream.createEncoder();
  const logged = facts.map((fact, index) => logEvent('run' as RunId, index + 1, fact));
  return logged.flatMap((event) => encode(event).map((frame) => [frameId(event.offset, frame.part), String(frame.event), frame.data]));
}

describe('graph stream', () => {
  it('shows nodes, true deltas and the end', () => {
    expect(framesOf({ type: 'node.entered', name: 'answer' }, text(' Su\n'), text('\n'), text('  '), completed)).toEqual([
      ['1', 'node', 'answer'],
      ['2', 'token', ' Su\n'],
      ['3', 'token', '\n'],
      ['4', 'token', '  '],
      ['5', 'done', '[DONE]'],
    ]);
  });

  it('shows nothing else', () => {
    const facts: RunFact[] = [
      { type: 'run.restarted', attempt: 2 },
      { type: 'reasoning.appended', message_id: answerId, text: 'hm' },
      { type: 'tool.called', call_id: 'c', name: 'search', arguments: '{}', called_at: '2026-11-20T10:00:00.000Z' },
      { type: 'tool.returned', call_id: 'c', name: 'search', status: 'completed', result: 'x', returned_at: '2026-11-20T10:00:00.000Z' },
      { type: 'approval.requested', call_id: 'c', name: 'search', arguments: '{}', expires_at: '2026-11-20T10:00:00.000Z' },
      { type: 'usage.recorded', usage: { input_tokens: 1, output_tokens: 1 } },
    ];
    expect(framesOf(...facts)).toEqual([]);
  });

  it('ends a failed or cancelled answer with an error and nothing behind it', () => {
    expect(framesOf(failed('The model is asleep'))).toEqual([['1', 'error', 'The model is asleep']]);
    expect(framesOf({ type: 'run.cancelled' })).toEqual([['1', 'error', 'cancelled']]);
    expect(framesOf(failed('a\n[DONE]'))).toEqual([['1', 'error', 'a\n[ DONE]']]);
  });

  it.each([
    ['[DONE]', ['[', 'DONE]']],
    ['a\n [DONE] \nb', ['a\n [', 'DONE] \nb']],
    ['see data: x', ['see da', 'ta: x']],
    ['data: data: ', ['da', 'ta: da', 'ta: ']],
    ['[DOdata: NE]', ['[', 'DOda', 'ta: NE]']],
  ])('cuts %j so that a client neither stops nor loses a part of it', (whole, pieces) => {
    expect(framesOf(text(whole))).toEqual(pieces.map((piece, at) => [`1.${at + 1}`, 'token', piece]));
  });

  it('cuts a long text between characters', () => {
    const frames = framesOf(text(`${'x'.repeat(9_999)}👋${'y'.repeat(10_000)}[DONE]`));
    expect(frames.map(([, , data]) => data?.length)).toEqual([9_999, 10_000, 8]);
    expect(frames.every(([, , data]) => data?.isWellFormed())).toBe(true);
  });

  it('shows a node by a short name on one line', () => {
    expect(framesOf({ type: 'node.entered', name: ' look\nup  it ' })).toEqual([['1', 'node', 'look up it']]);
    expect(framesOf({ type: 'node.entered', name: '[DONE]' })).toEqual([['1', 'node', '[ DONE]']]);
    expect(framesOf({ type: 'node.entered', name: 'n'.repeat(500) })[0]?.[2]).toHaveLength(100);
  });
});

import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageId, RunId, ThreadId } from '../../core/ids.ts';
import { logEvent, type RunFact } from '../../core/run-event.ts';
import type { Frame } from '../../http/stream-format.ts';
import { rawTokenStream } from './encode.ts';

const runId = 'run' as RunId;
const answerId = 'answer' as MessageId;

const started: RunFact = {
  type: 'run.started',
  thread_id: 'thread' as ThreadId,
  message_id: 'question' as MessageId,
  answer_id: answerId,
  model: 'gpt-4',
  attempt: 1,
};
const completed: RunFact = {
  type: 'run.completed',
  message: { id: answerId, seq: 2, role: 'assistant', status: 'completed', parts: [] },
  usage: null,
  model: 'gpt-4',
  finish_reason: 'stop',
};

function factsOf(deltas: readonly string[], end: RunFact = completed): RunFact[] {
  let at = 0;
  const texts = deltas.map((text): RunFact => {
    at += text.length;
    return { type: 'text.appended', message_id: answerId, text, at: at - text.length };
  });
  return [started, ...texts, end];
}

const lineBreak = /(?!\t)\p{Cc}|[\u2028\u2029]/u;
const visible = /[^\s\p{Cc}]/u;

function framesOf(facts: readonly RunFact[]): Frame[] {
  const encode = rawTokenStream.createEncoder();
  return facts.flatMap((fact, index) => encode(logEvent(runId, index + 1, fact)));
}

function wire(frame: Frame): string {
  const event = frame.event === null ? '' : `event: ${frame.event}\n`;
  return `${event}${frame.data
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('')}\n`;
}

function bodyOf(deltas: readonly string[], end?: RunFact): string {
  return framesOf(factsOf(deltas, end)).map(wire).join('');
}

function chunksOf(deltas: readonly string[]): string[] {
  return framesOf(factsOf(deltas)).map((frame) => frame.data);
}

/** Python's `str.strip`. */
function pythonStrip(text: string): string {
  const space = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
  return text.replace(new RegExp(`^${space}+|${space}+$`, 'g'), '');
}

/** A client that follows the SSE rules. */
function readEvents(body: string): string[] {
  const events: string[] = [];
  createParser({ onEvent: ({ data }) => events.push(data) }).feed(body);
  return events;
}

/** The documented client: line by line, stripped, printed without a separator. */
function readLines(body: string, clean: (text: string) => string): { printed: string; done: boolean } {
  let printed = '';
  for (const line of body.split('\n')) {
    if (!line.startsWith('data: ')) continue;
    const content = clean(line.slice(6));
    if (content === '[DONE]') return { printed, done: true };
    printed += content;
  }
  return { printed, done: false };
}

/** What such a client can show: line breaks and the white space beside them are lost, and the white space at the answer's two ends. */
function withoutLineBreaks(text: string, clean: (text: string) => string): string {
  return text.split('\n').map(clean).join('');
}

const piece = fc.constantFrom(
  ...[
    'a',
    'b',
    'word',
    ' ',
    '  ',
    '\n',
    '\t',
    '[DONE]',
    '[',
    'DONE]',
    '[DO',
    'data: ',
    'data:',
    '\n\n',
    'event: x',
    '😀',
    '\ud83d',
    '\ude00',
  ],
  ...['\u2028', '\x85', '\x1c', '\ufeff', '\u00a0', '\u180e', 'é'],
);
const texts = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('').toWellFormed());
const cutText = texts.chain((text) =>
  fc
    .array(fc.nat(Math.max(0, text.length)), { maxLength: 20 })
    .map((cuts) => [0, ...cuts.sort((a, b) => a - b), text.length])
    .map((cuts) => ({ text, deltas: cuts.slice(1).map((to, index) => text.slice(cuts[index], to)) })),
);

describe('raw token stream', () => {
  it('cuts inside words, so that a client may strip', () => {
    expect(chunksOf(['Hello', ' world', '!'])).toEqual(['Hell', 'o worl', 'd', '!', '[DONE]']);
    expect(chunksOf(['  Hi ', ' there '])).toEqual(['  H', 'i  ther', 'e ', '[DONE]']);
    expect(chunksOf(['1', ' ', '2', ' 3'])).toEqual(['1 2 3', '[DONE]']);
  });

  it('ends as its contract says', () => {
    expect(bodyOf([])).toBe('data: [DONE]\n\n');
    expect(bodyOf(['Hello '], { type: 'run.cancelled' })).toBe('data: Hell\n\ndata: o \n\ndata: [DONE]\n\n');
    const failed: RunFact = { type: 'run.failed', code: 'upstream_timeout', detail: 'The model took "too" long', retryable: true };
    expect(bodyOf(['Hi'], failed)).toBe('data: H\n\ndata: i\n\nevent: error\ndata: {"detail":"The model took \\"too\\" long"}\n\n');
  });

  it('shows nothing but text', () => {
    const facts: RunFact[] = [
      { type: 'node.entered', name: 'plan' },
      { type: 'reasoning.appended', message_id: answerId, text: 'hm' },
      { type: 'tool.called', call_id: 'c', name: 'search', arguments: '{}', called_at: '2026-11-20T10:00:00.000Z' },
      { type: 'tool.returned', call_id: 'c', name: 'search', status: 'completed', result: 'x', returned_at: '2026-11-20T10:00:00.000Z' },
      { type: 'usage.recorded', usage: { input_tokens: 1, output_tokens: 1 } },
      { type: 'run.restarted', attempt: 2 },
    ];
    expect(framesOf(facts)).toEqual([]);
  });

  it('cuts a text that looks like the end', () => {
    expect(chunksOf(['[DONE]'])).toEqual(['[DONE', ']', '[DONE]']);
    expect(bodyOf(['x\n[DONE]\ny and so on'])).toBe('data: x\ndata: [\n\ndata: DONE]\ndata: y and so o\n\ndata: n\n\ndata: [DONE]\n\n');
  });
});

describe('raw token stream, any text in any pieces', () => {
  it('is the whole answer for clients that follow the SSE rules', () => {
    fc.assert(
      fc.property(cutText, ({ text, deltas }) => {
        const events = readEvents(bodyOf(deltas));
        expect(events.pop()).toBe('[DONE]');
        expect(events.join('')).toBe(text);
        for (const event of events) expect(event).not.toBe('[DONE]');
      }),
      { numRuns: 2000 },
    );
  });

  it('is the answer without line breaks for clients that strip each line', () => {
    fc.assert(
      fc.property(cutText, ({ text, deltas }) => {
        const body = bodyOf(deltas);
        expect(readLines(body, pythonStrip)).toEqual({ printed: withoutLineBreaks(text, pythonStrip), done: true });
        const trim = (line: string): string => line.trim();
        expect(readLines(body, trim)).toEqual({ printed: withoutLineBreaks(text, trim), done: true });
      }),
      { numRuns: 2000 },
    );
  });

  it('never looks ended before its end', () => {
    fc.assert(
      fc.property(cutText, ({ deltas }) => {
        const lines = bodyOf(deltas).split(lineBreak);
        const ends = lines.filter((line) => pythonStrip(line.replaceAll('data: ', '')).trim() === '[DONE]');
        expect(ends).toEqual(['data: [DONE]']);
      }),
      { numRuns: 2000 },
    );
  });

  it('begins and ends chunks with visible, whole characters', () => {
    fc.assert(
      fc.property(cutText, ({ deltas }) => {
        const chunks = chunksOf(deltas).slice(0, -1);
        for (const chunk of chunks) expect(chunk.isWellFormed()).toBe(true);
        for (const chunk of chunks.slice(1)) expect(chunk.charAt(0)).toMatch(visible);
        for (const chunk of chunks.slice(0, -1)) expect(chunk.slice(-1)).toMatch(visible);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('raw token stream, long texts', () => {
  it.each([
    ['one long word', 'x'.repeat(100_000)],
    ['no legal cut', '1 '.repeat(40_000)],
    ['line feeds only', '\n'.repeat(30_000)],
    ['white space only', ' '.repeat(40_000)],
    ['emoji', '😀'.repeat(20_000)],
    ['emoji with spaces', '😀 '.repeat(20_000)],
    ['a gap', `a${' '.repeat(40_000)}b`],
  ])('keeps frames below 16 KB: %s', (_name, text) => {
    const slices = Array.from({ length: Math.ceil(text.length / 997) }, (_, index) => text.slice(index * 997, index * 997 + 997));
    for (const deltas of [[text], slices]) {
      const frames = framesOf(factsOf(deltas));
      for (const frame of frames) {
        expect(Buffer.byteLength(wire(frame))).toBeLessThanOrEqual(16_384);
        expect(frame.data.isWellFormed()).toBe(true);
      }
      expect(frames.map((frame) => frame.data).join('')).toBe(`${text}[DONE]`);
    }
  });

  it('loses one space a cut for stripping clients when a long text has no legal cut', () => {
    const text = '1 '.repeat(20_000);
    const { printed } = readLines(bodyOf([text]), pythonStrip);
    expect(printed.replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    expect(text.trim().length - printed.length).toBe(2);
  });
});

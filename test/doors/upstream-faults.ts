import { chunkLine, refuse, type Step } from '../support/upstream.ts';
import { PROVIDER_KEY } from './door-client.ts';

/** Stands in answers: must never be logged. */
export const ANSWER_CANARY = 'cAnArY-answer-9b1e';

/** Something that a provider does wrong, and what must come of it. */
export interface Fault {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Code of the run's failure. */
  readonly code: string;
  /** The answer's text in the stream and in the thread. */
  readonly text: string;
  /** Whether the server has to hang up, because the provider does not. */
  readonly hangsUp?: boolean;
}

const OK: Step = { head: 200, headers: { 'content-type': 'text/event-stream' } };
const text = (content: string): Step => ({ delta: { content } });
const began: readonly Step[] = [OK, text(`${ANSWER_CANARY} so `), text('far')];
const SO_FAR = `${ANSWER_CANARY} so far`;
const raw = (bytes: string | Uint8Array): Step => ({ raw: bytes });
const END: Step = { end: true };
const leak = `Incorrect API key provided: ${PROVIDER_KEY} for http://10.0.0.7:4000/v1`;
const unreachable = { code: 'upstream_unavailable', text: '' };

/** Longer than `ANSWER_LIMIT` in the test's settings. */
const endless = Array.from({ length: 400 }, () => text('word '.repeat(20)));
export const ANSWER_LIMIT = 20_000;

/** Each by itself, for every front door. */
export const faults: readonly Fault[] = [
  { name: '401 that quotes our key', steps: refuse(401, leak), code: 'upstream_unauthorized', text: '' },
  { name: '403', steps: refuse(403, leak), code: 'upstream_unauthorized', text: '' },
  { name: '400 that quotes our key', steps: refuse(400, leak), code: 'upstream_rejected', text: '' },
  { name: '429 again and again', steps: refuse(429, leak), code: 'upstream_rate_limited', text: '' },
  { name: '500 again and again', steps: refuse(500, leak), ...unreachable },
  { name: '503 as HTML', steps: [{ head: 503 }, raw('<html>down</html>'), END], ...unreachable },
  { name: 'a redirect', steps: [{ head: 302, headers: { location: 'http://127.0.0.1:1/' } }, END], code: 'upstream_rejected', text: '' },
  { name: 'hanging up before the answer', steps: [{ cut: true }], ...unreachable },
  { name: 'silence before the first byte', steps: [{ hang: true }], code: 'upstream_timeout', text: '', hangsUp: true },
  { name: 'silence behind the head', steps: [OK, { hang: true }], code: 'upstream_timeout', text: '', hangsUp: true },
  { name: 'silence in the middle', steps: [...began, { hang: true }], code: 'upstream_timeout', text: SO_FAR, hangsUp: true },
  { name: 'a cut in the middle', steps: [...began, { cut: true }], code: 'upstream_interrupted', text: SO_FAR },
  { name: 'an end without an end', steps: [...began, END], code: 'upstream_interrupted', text: SO_FAR },
  {
    name: 'half a line',
    steps: [...began, raw(chunkLine({ content: 'x' }).slice(0, 30)), END],
    code: 'upstream_interrupted',
    text: SO_FAR,
  },
  {
    name: 'broken JSON',
    steps: [...began, raw('data: {"choices":[{\n\n'), { hang: true }],
    code: 'upstream_malformed',
    text: SO_FAR,
    hangsUp: true,
  },
  {
    name: 'JSON that is no object',
    steps: [...began, raw('data: 5\n\n'), { hang: true }],
    code: 'upstream_malformed',
    text: SO_FAR,
    hangsUp: true,
  },
  {
    name: 'an error in the stream that quotes our key',
    steps: [...began, raw(`data: {"error":{"message":"${leak}","code":500}}\n\n`), END],
    code: 'upstream_unavailable',
    text: SO_FAR,
  },
  {
    name: 'a line of 10 MB',
    steps: [...began, raw(`data: ${'x'.repeat(10_000_000)}`), { hang: true }],
    code: 'upstream_too_long',
    text: SO_FAR,
    hangsUp: true,
  },
  {
    name: 'HTML in place of a stream',
    steps: [{ head: 200, headers: { 'content-type': 'text/html' } }, raw('<html>hello</html>'), END],
    code: 'upstream_malformed',
    text: '',
  },
];

/** A stream that never ends by itself. */
export const endlessFault: readonly Step[] = [OK, ...endless, { hang: true }];

const done: readonly Step[] = [{ delta: {}, finish: 'stop' }, raw('data: [DONE]\n\n'), END];
const toolCall = { index: 0, id: 'call_1', type: 'function', function: { name: 'rm_rf', arguments: '{"path":"/"}' } };
const character = Buffer.from(chunkLine({ content: '👋é' }));

/** What a provider does oddly and a client still gets as an answer. */
export const oddities: readonly { readonly name: string; readonly steps: readonly Step[]; readonly text: string }[] = [
  { name: 'characters cut in two', steps: [OK, ...[...character].map((byte) => raw(Uint8Array.of(byte))), ...done], text: '👋é' },
  { name: 'invalid UTF-8', steps: [OK, raw(Buffer.from(chunkLine({ content: 'a\u00ffb' }), 'latin1')), ...done], text: 'a\ufffdb' },
  { name: 'NUL and half a pair', steps: [OK, text('a\0b'), text('c\ud83d'), text('d'), ...done], text: 'a\ufffdbc\ufffdd' },
  {
    name: 'comments and unknown events',
    steps: [OK, raw(': hi\n\nevent: x\nid: 9\nretry: 1\n'), text('ok'), raw(': bye\n\n'), ...done],
    text: 'ok',
  },
  {
    name: 'a false end in the text',
    steps: [OK, text('[DONE]'), text('\n\ndata: [DONE]\n\n'), text('more'), ...done],
    text: '[DONE]\n\ndata: [DONE]\n\nmore',
  },
  {
    name: 'a call of a tool that nobody offered',
    steps: [
      OK,
      text('Let me see.'),
      { delta: { tool_calls: [toolCall] } },
      { delta: {}, finish: 'tool_calls' },
      raw('data: [DONE]\n\n'),
      END,
    ],
    text: 'Let me see.',
  },
  { name: 'nothing at all', steps: [OK, ...done], text: '' },
];

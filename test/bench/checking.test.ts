import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Place } from '../../bench/exchange.ts';
import { createAnswerReader } from '../../bench/http-answer.ts';
import { protocols } from '../../bench/protocols.ts';
import { createRecorder } from '../../bench/recorder.ts';
import { createCheck, parsePrompt, type Script, textOf, tokenOf, writePrompt } from '../../bench/script.ts';
import { framesOf, LAST_FRAMES } from '../../bench/upstream-frames.ts';

const script: Script = { id: 'a1', tokens: 30, delayMs: 0, batch: 1 };
const tokens = Array.from({ length: script.tokens }, (_, at) => tokenOf(script, at));
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** What the bench says of an answer that comes in these pieces. */
function verdictOn(pieces: readonly string[]): 'complete' | 'incomplete' | 'wrong' {
  const check = createCheck(script);
  try {
    for (const piece of pieces) check.add(piece);
  } catch {
    return 'wrong';
  }
  return check.complete ? 'complete' : 'incomplete';
}

test('an answer is complete however its text is cut', () => {
  expect(verdictOn(tokens)).toBe('complete');
  expect(verdictOn([textOf(script)])).toBe('complete');
  expect(verdictOn([...textOf(script)])).toBe('complete');
});

test.each([
  ['lost', tokens.toSpliced(11, 1), 'wrong'],
  ['lost at the end', tokens.slice(0, -1), 'incomplete'],
  ['doubled', tokens.toSpliced(11, 0, ' a1.11'), 'wrong'],
  ['doubled at the end', [...tokens, ' a1.29'], 'wrong'],
  ['out of order', tokens.toSpliced(11, 2, ' a1.12', ' a1.11'), 'wrong'],
  ["another stream's", tokens.with(11, ' a2.11'), 'wrong'],
  ['cut in itself', tokens.with(11, ' a1.1'), 'wrong'],
] as const)('a token that is %s is noticed', (_, pieces, verdict) => {
  expect(verdictOn(pieces)).toBe(verdict);
});

test('a prompt says what the answer will be, also behind earlier turns', () => {
  expect(parsePrompt(writePrompt(script))).toEqual(script);
  expect(parsePrompt(`bench b2 tokens=1 delay=1 batch=1\n\n${writePrompt(script)}`)).toEqual(script);
  expect(() => parsePrompt('Hello?')).toThrow('No bench prompt');
});

test('an answer is read alike wherever the network cuts it', () => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nHello \r\n6\r\nworld!\r\n0\r\n\r\n';
  const counted = 'HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nConnection: close\r\n\r\nnever';
  const empty = 'HTTP/1.1 204 No Content\r\n\r\n';
  const read = (pieces: readonly string[]) => {
    const seen = { status: 0, text: '', ends: [] as boolean[] };
    const reader = createAnswerReader({
      onStatus(status) {
        seen.status = status;
      },
      onText(text) {
        seen.text += text;
      },
      onEnd(reusable) {
        seen.ends.push(reusable);
      },
    });
    for (const piece of pieces) reader.add(piece);
    return seen;
  };
  for (let at = 1; at < chunked.length; at += 1) {
    expect(read([chunked.slice(0, at), chunked.slice(at)])).toEqual({ status: 200, text: 'Hello world!', ends: [true] });
  }
  expect(read([...chunked]).ends).toEqual([true]);
  expect(read([...counted])).toEqual({ status: 404, text: 'never', ends: [false] });
  expect(read([empty])).toEqual({ status: 204, text: '', ends: [true] });
});

/** A relay that answers every request with this body. */
async function relayOf(body: string): Promise<Place> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: '' };
}

const relayed = framesOf({ ...script, batch: script.tokens }, 0) + LAST_FRAMES;
const raw = `${tokens.map((token) => `data: ${token}\n\n`).join('')}data: [DONE]\n\n`;

test.each([
  ['openai', relayed, []],
  ['openai', relayed.replace('a1.7"', 'a1.8"'), ['should come']],
  ['openai', relayed.replace('data: [DONE]\n\n', ''), ['did not come']],
  ['chat-sessions', raw, []],
  ['chat-sessions', raw.replace('data:  a1.7\n\n', ''), ['should come']],
  ['chat-sessions', raw.replace('data: [DONE]\n\n', ''), ['without its last frame']],
  ['chat-sessions', `${raw}data: [DONE]\n\n`, ['Behind the last frame']],
  ['chat-sessions', 'event: error\ndata: no\n\n', ['no']],
] as const)('%s readers count an answer only when all of it is right (%#)', async (protocol, body, complaints) => {
  const place = await relayOf(body);
  const recorder = createRecorder();
  await recorder.read(script, (onText) => protocols[protocol](place, writePrompt(script), onText));
  const { answers, tokens: counted, failures } = recorder.result();
  expect({ answers, counted }).toEqual(complaints.length === 0 ? { answers: 1, counted: 30 } : { answers: 0, counted: 0 });
  expect(failures).toEqual(complaints.map((complaint) => expect.stringContaining(complaint)));
});

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { answerPieces, parseQuestion, type SeededQuestion } from './seeded-answer.ts';
import { chunkLine } from './upstream.ts';

/** An OpenAI-compatible upstream on loopback whose answers follow from the questions alone. */
export interface SeededModel {
  /** Up to and with `/v1`. */
  readonly baseUrl: string;
  /** How often a question of this seed was asked. */
  callsOf(seed: number): number;
  /** All questions asked, repeats included. */
  readonly calls: number;
  /** Seeds of the user messages before the question, oldest first, as the last call of this seed had them. */
  contextOf(seed: number): readonly number[];
  /** Names of question threads in which two answers were written at the same time. */
  readonly overlaps: readonly string[];
  close(): Promise<void>;
}

/** Resolves when the last piece of this seed's answer may be written. */
export type HoldEnd = (seed: number) => Promise<void>;

interface Ledger {
  readonly holdEnd: HoldEnd;
  readonly calls: Map<number, number>;
  readonly contexts: Map<number, readonly number[]>;
  readonly busy: Set<string>;
  readonly overlaps: string[];
}

/** Starts it on a port of the system's choice. */
export async function startSeededModel(holdEnd: HoldEnd = async () => undefined): Promise<SeededModel> {
  const ledger: Ledger = { holdEnd, calls: new Map(), contexts: new Map(), busy: new Set(), overlaps: [] };
  const server = createServer((request, response) => {
    response.on('error', () => response.destroy());
    reply(ledger, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end(JSON.stringify({ error: { message: String(error) } }));
    });
  });
  // A server that closes an idle connection just as it is used again would look like a model that was asked twice.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    callsOf: (seed) => ledger.calls.get(seed) ?? 0,
    get calls() {
      return [...ledger.calls.values()].reduce((sum, count) => sum + count, 0);
    },
    contextOf: (seed) => ledger.contexts.get(seed) ?? [],
    overlaps: ledger.overlaps,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function reply(ledger: Ledger, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"list","data":[]}');
    return;
  }
  const questions = userTexts(body).map(parseQuestion);
  const question = questions.pop();
  if (question === undefined) throw new Error('No user message');
  const { seed, thread } = question;
  ledger.calls.set(seed, (ledger.calls.get(seed) ?? 0) + 1);
  ledger.contexts.set(
    seed,
    questions.map((earlier) => earlier.seed),
  );
  if (thread === undefined) return write(question, response, ledger.holdEnd);
  if (ledger.busy.has(thread)) ledger.overlaps.push(thread);
  ledger.busy.add(thread);
  return write(question, response, ledger.holdEnd).finally(() => ledger.busy.delete(thread));
}

async function write(question: SeededQuestion, response: ServerResponse, holdEnd: HoldEnd): Promise<void> {
  const { perWrite, delayMs } = question;
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  const pieces = answerPieces(question);
  for (let at = 0; at < pieces.length; at += perWrite) {
    await (delayMs > 0 ? sleep(delayMs) : nextTurn());
    if (at + perWrite >= pieces.length) await holdEnd(question.seed);
    if (response.destroyed) return;
    const lines = pieces.slice(at, at + perWrite).map((content) => chunkLine({ content }));
    response.write(lines.join(''));
  }
  const usage = { prompt_tokens: 1, completion_tokens: pieces.length, total_tokens: pieces.length + 1 };
  response.end(`${chunkLine({}, 'stop')}data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  request.setEncoding('utf8');
  for await (const piece of request) text += piece;
  return text === '' ? null : JSON.parse(text);
}

/** The questions in a request's user messages; neighbouring ones may come as one message, with an empty line between them. */
function userTexts(body: unknown): string[] {
  const { messages } = body as { messages: readonly { role: string; content: string | readonly { text: string }[] }[] };
  return messages
    .filter(({ role }) => role === 'user')
    .flatMap(({ content }) => (typeof content === 'string' ? content : content.map((part) => part.text).join('')).split('\n\n'));
}

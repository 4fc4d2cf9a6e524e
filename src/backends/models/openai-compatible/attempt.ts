import type { IncomingMessage } from 'node:http';
import { type ChunkSink, type ModelEnd, ModelError, type ModelRequest } from '../../../core/ports/model-provider.ts';
import { type AnswerReader, createAnswerReader } from './answer-reader.ts';
import { readBounded, readText } from './body-reading.ts';
import { createDeadline, type Deadline, type Timeouts } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';
import { type Failure, interrupted, isRetriedStatus, malformed, retryAfterMs, statusError, tooLong, unreachable } from './failures.ts';
import { createQuote, messageIn } from './redact.ts';
import { type Habits, requestBody } from './request-body.ts';
import { createSseParser } from './sse-parser.ts';

/** How much a provider may send. */
export interface Limits {
  /** UTF-16 code units of one line of a stream. */
  readonly lineCharacters: number;
  /** UTF-16 code units of text, reasoning and tool arguments of one answer. */
  readonly answerCharacters: number;
  /** UTF-16 code units of an error's body that are looked at. */
  readonly errorCharacters: number;
}

/** What all tries with one provider share. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
  readonly now: () => number;
}

interface Question {
  readonly request: ModelRequest;
  readonly habits: Habits;
  readonly sink: ChunkSink;
  readonly signal: AbortSignal;
}

/** A whole answer, or why there is none. */
export type Outcome = { readonly end: ModelEnd } | { readonly failure: Failure };

// JSON needs up to six characters for one, and a little frame.
const JSON_EXPANSION = 6;
const JSON_FRAME_CHARACTERS = 64 * 1024;

/** Asks once. Rejects with the signal's reason or the sink's error; every failure of the provider is an outcome. */
export async function attempt(connection: Connection, question: Question): Promise<Outcome> {
  const deadline = createDeadline(question.signal, connection.timeouts);
  const quote = createQuote(connection.endpoint.secrets);
  const reader = createAnswerReader({ sink: question.sink, maxCharacters: connection.limits.answerCharacters, quote });
  let answered = false;
  try {
    const response = await open(connection, question, deadline);
    answered = true;
    if (response.statusCode !== undefined && (response.statusCode < 200 || response.statusCode > 299)) {
      return { failure: await refusal(connection, response, deadline) };
    }
    await readAnswer({ connection, response, reader, deadline });
    const end = reader.finish();
    await settled(reader.held(), deadline);
    return { end };
  } catch (error) {
    question.signal.throwIfAborted();
    if (!(error instanceof ModelError)) throw error;
    // An error that the provider put into its stream is its answer, and no lost connection.
    const again = !reader.hasDelivered() && error.code === (answered ? 'upstream_interrupted' : 'upstream_unavailable');
    return { failure: { error, again, retryAfterMs: null, refusal: '' } };
  } finally {
    deadline.release();
  }
}

/** Waits for the sink, but no longer than the caller and the total timeout allow. */
function settled(held: Promise<unknown> | null, deadline: Deadline): Promise<unknown> | null {
  if (held === null) return null;
  deadline.hold(true);
  return new Promise((resolve, reject) => {
    deadline.signal.addEventListener('abort', () => reject(deadline.signal.reason), { once: true });
    held.then(resolve, reject);
  });
}

async function open({ endpoint }: Connection, { request, habits }: Question, deadline: Deadline): Promise<IncomingMessage> {
  const body = requestBody(request, habits);
  try {
    return await endpoint.send({ path: '/chat/completions', body, signal: deadline.signal });
  } catch (error) {
    deadline.signal.throwIfAborted();
    throw isParseError(error) ? malformed(error) : unreachable(error);
  }
}

/** llhttp's complaints about bytes that are no HTTP. */
function isParseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('HPE_');
}

interface Reading {
  readonly connection: Connection;
  readonly response: IncomingMessage;
  readonly reader: AnswerReader;
  readonly deadline: Deadline;
}

async function readAnswer({ connection: { limits }, response, reader, deadline }: Reading): Promise<void> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  const type = response.headers['content-type'] ?? '';
  if (encoding !== 'identity' || type.startsWith('text/html')) {
    response.destroy();
    throw malformed(new Error(`unexpected content ${type} ${encoding}`));
  }
  if (type.startsWith('application/json')) {
    const body = await readBounded(response, limits.answerCharacters * JSON_EXPANSION + JSON_FRAME_CHARACTERS, deadline);
    deadline.signal.throwIfAborted();
    if (body.cut) throw tooLong();
    if (!body.whole) throw interrupted(new Error('connection lost'));
    reader.take(body.text);
    return;
  }
  const parser = createSseParser({ maxCharacters: limits.lineCharacters, onData: reader.take });
  const take = (text: string) => {
    parser.push(text);
    return { held: reader.held(), enough: reader.isDone() };
  };
  const end = await readText(response, take, deadline);
  if (end.lost && !reader.hasEnded()) {
    deadline.signal.throwIfAborted();
    throw isParseError(end.cause) ? malformed(end.cause) : interrupted(end.cause);
  }
  parser.end();
}

async function refusal({ endpoint, limits, now }: Connection, response: IncomingMessage, deadline: Deadline): Promise<Failure> {
  const status = response.statusCode ?? 0;
  const { text } = await readBounded(response, limits.errorCharacters, deadline);
  deadline.signal.throwIfAborted();
  return {
    error: statusError(status, createQuote(endpoint.secrets)(messageIn(text))),
    again: isRetriedStatus(status),
    retryAfterMs: retryAfterMs(response.headers['retry-after'], now()),
    refusal: status === 400 || status === 422 ? text : '',
  };
}

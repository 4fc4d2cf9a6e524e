import type { IncomingMessage } from 'node:http';
import { type ChunkSink, ModelError, type ModelRequest } from '../../../core/ports/model-provider.ts';
import { readBounded, readText } from '../upstream/body-reading.ts';
import type { Connection } from '../upstream/connection.ts';
import { createDeadline, type Deadline, pauseFor } from '../upstream/deadline.ts';
import { interrupted, malformed, tooLong } from '../upstream/failures.ts';
import { createOutlet, held, release } from '../upstream/outlet.ts';
import { isReadDirectly } from '../upstream/plain-connection.ts';
import { createQuote } from '../upstream/redact.ts';
import { isRefused, lost, refusal, unanswered } from '../upstream/response.ts';
import type { Outcome } from '../upstream/retry.ts';
import { type AnswerReader, createAnswerReader, finishAnswer, hasEnded, takePayload } from './answer-reader.ts';
import { type Habits, requestBody } from './request-body.ts';
import { createSseParser, endText, parseText } from './sse-parser.ts';

interface Question {
  readonly request: ModelRequest;
  readonly habits: Habits;
  readonly sink: ChunkSink;
  readonly signal: AbortSignal;
}

// JSON needs up to six characters for one, and a little frame.
const JSON_EXPANSION = 6;
const JSON_FRAME_CHARACTERS = 64 * 1024;

/** Asks once. Rejects with the signal's reason or the sink's error; every failure of the provider is an outcome. */
export async function attempt(connection: Connection, question: Question): Promise<Outcome> {
  const deadline = createDeadline(question.signal, connection.timeouts);
  const quote = createQuote(connection.endpoint.secrets);
  const outlet = createOutlet(question.sink, connection.limits.answerCharacters);
  const reader = createAnswerReader(outlet, quote);
  let answered = false;
  try {
    const response = await open(connection, question, deadline);
    answered = true;
    if (isRefused(response)) return { failure: await refusal(connection, response, deadline) };
    await readAnswer({ connection, response, reader, deadline });
    const end = finishAnswer(reader);
    const wait = held(outlet);
    if (wait !== null) await pauseFor(wait, deadline);
    return { end };
  } catch (error) {
    question.signal.throwIfAborted();
    if (!(error instanceof ModelError)) throw error;
    // An error that the provider put into its stream is its answer, and no lost connection.
    const again = !outlet.hasDelivered && error.code === (answered ? 'upstream_interrupted' : 'upstream_unavailable');
    return { failure: { error, again, retryAfterMs: null, refusal: '' } };
  } finally {
    deadline.release();
  }
}

async function open({ endpoint }: Connection, { request, habits }: Question, deadline: Deadline): Promise<IncomingMessage> {
  const body = requestBody(request, habits);
  try {
    return await endpoint.send({ path: '/chat/completions', body, direct: true, signal: deadline.signal });
  } catch (error) {
    deadline.signal.throwIfAborted();
    throw unanswered(error);
  }
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
    takePayload(reader, body.text);
    return;
  }
  reader.outlet.gathers = isReadDirectly(response);
  const parser = createSseParser({ maxCharacters: limits.lineCharacters, onData: (payload) => takePayload(reader, payload) });
  const take = (text: string) => {
    try {
      parseText(parser, text);
    } finally {
      // What came whole before a payload that cannot be read is part of the answer.
      release(reader.outlet);
    }
    return held(reader.outlet);
  };
  const end = await readText(response, { take, enough: () => reader.isDone }, deadline);
  if (end.lost && !hasEnded(reader)) {
    deadline.signal.throwIfAborted();
    throw lost(end.cause);
  }
  endText(parser);
}

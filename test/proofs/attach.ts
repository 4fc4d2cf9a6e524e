import { createFrameReader } from '../support/raw-frames.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { behind, type Door, get, NATIVE, type Question, questionRequest, streamRequest } from './doors.ts';
import { PATIENCE_MS, type Reading, readStream } from './reading.ts';
import type { Problems } from './report.ts';
import { readSocket, type SocketLimits } from './socket-reading.ts';

/** A question on its way through one door, and what a client knows of its answer. */
export interface Asked {
  question: Question;
  readonly reading: Reading;
  runId: string | null;
  threadId: string | null;
}

/** A question that nobody has sent yet. */
export function notYetAsked(question: Question, reading: Reading): Asked {
  const known = question.door !== 'chat-sessions' ? question.place : null;
  return { question, reading, runId: null, threadId: known };
}

/** The doors at which the answer can be read now: its own by asking again, those that read any run by its id, and chat-ws by the thread's history. */
export function reachableDoors({ question, runId, threadId }: Asked): readonly [Door, ...Door[]] {
  const others: Door[] = runId === null ? [] : ['native', 'levia'];
  if (runId !== null && threadId !== null) others.push('chat-ws');
  return [question.door, ...others.filter((door) => door !== question.door)];
}

const NUMBERED: readonly Door[] = ['native', 'levia', 'graph'];

/** Makes ready to go on at another door (or the same one): only between doors with frame ids from where the client is, else from the answer's start. */
export function goOn({ reading }: Asked, from: Door, to: Door): void {
  if (!NUMBERED.includes(from) || !NUMBERED.includes(to)) reading.startAgain();
  else if (from !== to && to !== 'native') reading.forgetParts();
}

export interface HowToRead extends SocketLimits {
  readonly problems: Problems;
}

/**
 * Reads the answer at a door, from the client's cursor on where the door has cursors; its own door is asked (again) where only that shows it.
 * On user-chat, which shows nothing before the end, `cutAfter` counts milliseconds.
 */
export async function readAt(door: Door, asked: Asked, how: HowToRead): Promise<RawAnswer> {
  const answer = await readOnce(door, asked, how);
  note(asked, answer, how.problems);
  return answer;
}

/** Keeps the names in an answer's head; a second run for one question is a problem. */
export function note(asked: Asked, { headers, status }: Pick<RawAnswer, 'headers' | 'status'>, problems: Problems): void {
  if (status >= 300 && status !== 502) return;
  const runId = headers['x-run-id'];
  const threadId = headers['x-thread-id'];
  const { key, door } = asked.question;
  if (typeof runId === 'string') {
    problems.expect((asked.runId ?? runId) === runId, 'doubled', `${door} ${key}: run ${runId} instead of ${asked.runId}`);
    asked.runId ??= runId;
  }
  if (typeof threadId === 'string') {
    problems.expect(
      (asked.threadId ?? threadId) === threadId,
      'doubled',
      `${door} ${key}: thread ${threadId} instead of ${asked.threadId}`,
    );
    asked.threadId ??= threadId;
  }
}

async function readOnce(door: Door, asked: Asked, { problems, ...limits }: HowToRead): Promise<RawAnswer> {
  const { question, reading, runId } = asked;
  switch (door) {
    case 'native':
    case 'levia': {
      const request = streamRequest(door, question.caller, { runId: runId ?? '', cursor: reading.cursor });
      return readStream(reading, { door, request, problems }, limits);
    }
    case 'chat-sessions':
    case 'graph': {
      const first = questionRequest({ ...question, door });
      const request = { ...first, headers: behind(first.headers, reading.cursor) };
      return readStream(reading, { door, request, problems }, limits);
    }
    case 'user-chat':
      return readWhole(asked, limits);
    case 'chat-ws':
      return readOnSocket(asked, problems, limits);
  }
}

/** Reads an answer as one JSON object. A failure says nothing of the answer's text. */
async function readWhole({ question, reading }: Asked, { cutAfter, signal, onHead }: SocketLimits): Promise<RawAnswer> {
  const enough = AbortSignal.timeout(cutAfter ?? PATIENCE_MS);
  const answer = await sendRaw(questionRequest({ ...question, door: 'user-chat' }), {
    signal: signal === undefined ? enough : AbortSignal.any([signal, enough]),
    ...(onHead && { onHead }),
  });
  if (answer.status !== 200 || answer.stopped !== 'complete') return answer;
  const { message } = JSON.parse(answer.text) as { message: { content: string } };
  reading.finish('completed', answer.text, message.content);
  return answer;
}

async function readOnSocket(asked: Asked, problems: Problems, limits: SocketLimits): Promise<RawAnswer> {
  const { question, reading, runId } = asked;
  const { caller, text, key } = question;
  const threadId = asked.threadId ?? '';
  if (runId === null) return readSocket(reading, { caller, threadId, problems, runId, answerId: null, ask: { text, key } }, limits);
  const run = await get(caller, `${NATIVE}/runs/${runId}`);
  if (run.status !== 200) return run;
  const { answer_id } = JSON.parse(run.text) as { answer_id: string };
  return readSocket(reading, { caller, threadId, problems, runId, answerId: answer_id, ask: null }, limits);
}

const SOON_MS = 200;

/** The run that answers a thread's only question, from the thread's facts; null when the server tells none soon. */
export async function runIfThere({ caller, threadId }: { caller: Question['caller']; threadId: string }): Promise<string | null> {
  const frames = createFrameReader();
  const enough = new AbortController();
  const runIds: string[] = [];
  const onBytes = (bytes: Buffer) => {
    for (const { data } of frames(bytes)) {
      const { run_id } = JSON.parse(data) as { run_id?: string | null };
      if (typeof run_id === 'string') runIds.push(run_id);
    }
    if (runIds.length > 0) enough.abort();
  };
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(SOON_MS)]);
  const { status } = await get(caller, `${NATIVE}/threads/${threadId}/events?after=0`, { onBytes, signal });
  return status === 200 ? (runIds[0] ?? null) : null;
}

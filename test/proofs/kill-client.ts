import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { questionText, type SeededQuestion } from '../support/seeded-answer.ts';
import { type Caller, type NumberedDoor, type Question, questionRequest, streamRequest } from './doors.ts';
import { createReading, type Piece, type Reading, readStream } from './reading.ts';
import type { Problems } from './report.ts';

/** What a server that was told to stop says to new questions. */
const DRAINING = 503;

/** One question of a client that outlives its server, and everything that it was told. */
export interface Client {
  readonly asked: SeededQuestion;
  readonly reading: Reading;
  readonly label: string;
  question: Question;
  sent: boolean;
  /** As a server named it; null while no answer to the POST has come. */
  runId: string | null;
  /** What it had when the server died. */
  before: { readonly pieces: readonly Piece[]; readonly text: string; readonly acknowledged: boolean };
}

export function createClient(asked: SeededQuestion, question: Omit<Question, 'text'>, problems: Problems): Client {
  const label = `${question.door} ${question.key}`;
  return {
    asked,
    question: { ...question, text: questionText(asked) },
    reading: createReading(problems, label),
    label,
    sent: false,
    runId: null,
    before: { pieces: [], text: '', acknowledged: false },
  };
}

/** Asks and reads until the answer or the server ends. `acknowledged` says whether a run's name came. */
export function askAndRead(client: Client, problems: Problems): { acknowledged: Promise<boolean>; done: Promise<void> } {
  client.sent = true;
  const acknowledged = Promise.withResolvers<boolean>();
  const done = ask(client, problems, () => acknowledged.resolve(true)).finally(() => acknowledged.resolve(false));
  return { acknowledged: acknowledged.promise, done };
}

async function ask(client: Client, problems: Problems, onNamed: () => void): Promise<void> {
  const request = questionRequest(client.question);
  const { door } = client.question;
  const onHead = ({ headers }: Pick<RawAnswer, 'headers'>) => {
    client.runId = String(headers['x-run-id'] ?? '') || null;
    if (client.runId !== null) onNamed();
  };
  if (door === 'chat-sessions') return check(client, problems, await readStream(client.reading, { door, request, problems }, { onHead }));
  const answer = await sendRaw(request);
  if (answer.stopped !== 'complete') return;
  check(client, problems, answer);
  onHead(answer);
  if (client.runId !== null) await read(client, problems, door);
}

async function read(client: Client, problems: Problems, door: NumberedDoor): Promise<void> {
  const { question, reading, runId } = client;
  const request = streamRequest(door, question.caller, { runId: runId ?? '', cursor: reading.cursor });
  check(client, problems, await readStream(reading, { door, request, problems }));
}

function check({ label }: Client, problems: Problems, { status, text }: RawAnswer): void {
  problems.expect([0, 200, 202, DRAINING].includes(status), 'refused', `${label}: ${status} ${text}`);
}

/** Remembers what a client had when its server died. */
export function noteDeath(client: Client): void {
  const { pieces, text } = client.reading;
  client.before = { pieces: [...pieces], text, acknowledged: client.runId !== null };
}

/**
 * Gets the rest of the answer from the next server: behind the last frame, through the same door or the other one with ids; in the door
 * without ids from the start; and by the same POST again when the first one was never answered.
 */
export async function resumeToEnd(client: Client, at: { caller: Caller; crosses: boolean; problems: Problems }): Promise<void> {
  const { problems, crosses } = at;
  client.question = { ...client.question, caller: at.caller };
  const { door } = client.question;
  const { reading } = client;
  if (reading.end === null) {
    if (client.runId === null) await ask(client, problems, () => undefined);
    else if (door !== 'chat-sessions') await read(client, problems, crosses ? otherThan(door) : door);
    else {
      reading.startAgain();
      if (crosses) await read(client, problems, 'native');
      else await ask(client, problems, () => undefined);
    }
  }
  reading.checkBeginnings();
  problems.expect(reading.end !== null, 'terminal', `${client.label}: no terminal frame after the restart`);
}

function otherThan(door: NumberedDoor): NumberedDoor {
  return door === 'native' ? 'levia' : 'native';
}

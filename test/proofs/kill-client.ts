import type { Random } from '../support/random.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { questionText, type SeededQuestion } from '../support/seeded-answer.ts';
import { type Asked, goOn, note, notYetAsked, reachableDoors, readAt } from './attach.ts';
import { type Caller, type Door, type Question, questionRequest } from './doors.ts';
import { createReading, type Piece } from './reading.ts';
import type { Problems } from './report.ts';

/** What a server that was told to stop says to new questions. */
const DRAINING = 503;
/** What the door without streams says of an answer that failed. */
const FAILED = 502;

/** One question of a client that outlives its server, and everything that it was told. */
export interface Client extends Asked {
  readonly asked: SeededQuestion;
  readonly label: string;
  sent: boolean;
  /** What it had when the server died. */
  before: { readonly pieces: readonly Piece[]; readonly text: string; readonly acknowledged: boolean };
}

export function createClient(asked: SeededQuestion, question: Omit<Question, 'text'>, problems: Problems): Client {
  const label = `${question.door} ${question.key}`;
  return {
    ...notYetAsked({ ...question, text: questionText(asked) }, createReading(problems, label)),
    asked,
    label,
    sent: false,
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
  const { door } = client.question;
  const onHead = (head: Pick<RawAnswer, 'headers' | 'status'>) => {
    note(client, head, problems);
    if (client.runId !== null) onNamed();
  };
  if (door !== 'native' && door !== 'levia') return read(client, door, { problems, onHead });
  const answer = await sendRaw(questionRequest({ ...client.question, door }));
  if (answer.stopped !== 'complete') return;
  check(client, problems, answer);
  onHead(answer);
  if (client.runId !== null) await read(client, door, { problems });
}

interface How {
  readonly problems: Problems;
  readonly onHead?: (head: Pick<RawAnswer, 'headers' | 'status'>) => void;
}

async function read(client: Client, door: Door, { problems, ...limits }: How): Promise<void> {
  const answer = await readAt(door, client, { problems, ...limits });
  check(client, problems, answer);
  // That answer says only that there is no whole one; the text so far stands in the log.
  if (door === 'user-chat' && answer.status === FAILED && client.runId !== null) await read(client, 'native', { problems });
}

function check({ label, question }: Client, problems: Problems, { status, text }: RawAnswer): void {
  const good = [0, 200, 202, DRAINING].includes(status) || (question.door === 'user-chat' && status === FAILED);
  problems.expect(good, 'refused', `${label}: ${status} ${text}`);
}

/** Remembers what a client had when its server died. */
export function noteDeath(client: Client): void {
  const { pieces, text } = client.reading;
  client.before = { pieces: [...pieces], text, acknowledged: client.runId !== null };
}

interface NextServer {
  readonly caller: Caller;
  /** Chooses a door among all that can show the answer; null stays at the client's own. */
  readonly random: Random | null;
  readonly problems: Problems;
}

/** Gets the rest of the answer from the next server, through any door; by the same question again when the first one was never answered. */
export async function resumeToEnd(client: Client, { caller, random, problems }: NextServer): Promise<void> {
  client.question = { ...client.question, caller };
  const { door } = client.question;
  const { reading } = client;
  if (reading.end === null) {
    const next = random?.pick(reachableDoors(client)) ?? door;
    goOn(client, door, next);
    if (client.runId === null) await ask(client, problems, () => undefined);
    else await read(client, next, { problems });
  }
  reading.checkBeginnings();
  problems.expect(reading.end !== null, 'terminal', `${client.label}: no terminal frame after the restart`);
}

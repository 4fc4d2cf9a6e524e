import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApp } from '../support/app.ts';
import { inParallel } from '../support/parallel.ts';
import { createRandom, type Random } from '../support/random.ts';
import { sendRaw } from '../support/raw-http.ts';
import { expectedText, questionText, type SeededQuestion } from '../support/seeded-answer.ts';
import { type SeededModel, startSeededModel } from '../support/seeded-model.ts';
import { type Asked, goOn, note, notYetAsked, readAt, runIfThere } from './attach.ts';
import { type Caller, DOORS, type Door, get, NATIVE, openPlace, openSession, type Question, questionRequest } from './doors.ts';
import { createLastReaders, type LastReaders } from './last-readers.ts';
import { createReading } from './reading.ts';
import { createProblems, type Problems, type ProofReport } from './report.ts';
import type { SocketLimits } from './socket-reading.ts';
import type { ProofStore } from './stores.ts';

const AT_ONCE = 40;
const USERS = 8;
const MAX_CUTS = 6;
/** Who reads along beside the client that asked; those with frame ids begin anywhere in the answer. */
const READERS: readonly Door[] = ['native', 'native', 'levia', 'levia', 'chat-ws', 'chat-ws'];
/** Longest time between two cuts of a connection. */
const CUT_MS = 60;
/** Most bytes between two cuts. */
const CUT_BYTES = 3_000;

interface ReadersOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly store: ProofStore;
}

interface Bench {
  readonly url: string;
  readonly seed: number;
  readonly model: SeededModel;
  readonly lastReaders: LastReaders;
  readonly problems: Problems;
  readonly tally: { cuts: number; fromTheMiddle: number; toTheEnd: number; characters: number };
}

/**
 * Begins a run at each door in turn, whose client asks again and again with its key, while readers at native, levia and chat-ws come and go:
 * each has the same answer in the end, and the model was asked once.
 */
export async function proveReaders({ seed, rounds, store }: ReadersOptions): Promise<ProofReport> {
  const lastReaders = createLastReaders(READERS.length);
  const model = await startSeededModel(lastReaders.holdEnd);
  const env = { OPENAI_BASE_URL: model.baseUrl, LOG_LEVEL: 'error' };
  const app = await startTestApp({ env, databaseUrl: store.databaseUrl ?? '' });
  const problems = createProblems();
  const tally = { cuts: 0, fromTheMiddle: 0, toTheEnd: 0, characters: 0 };
  const bench: Bench = { url: app.url, seed, model, lastReaders, problems, tally };
  const started = performance.now();
  await inParallel(
    Array.from({ length: rounds }, (_, index) => index),
    AT_ONCE,
    (index) => readTogether(bench, index),
  );
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  problems.expect(model.calls === rounds, 'calls', `${model.calls} model calls for ${rounds} questions`);
  await app.close();
  await model.close();
  return { seed, problems, figures: { store: store.name, rounds, readers: rounds * (READERS.length + 1), ...bench.tally, seconds } };
}

async function readTogether(bench: Bench, index: number): Promise<void> {
  const { problems, url } = bench;
  const random = createRandom(bench.seed + index);
  const door = DOORS[index % DOORS.length] ?? 'native';
  const caller = { url, user: `user-${index % USERS}` };
  const seeded: SeededQuestion = {
    seed: random.integer(1, 2 ** 48),
    tokens: random.integer(300, 700),
    delayMs: random.integer(4, 10),
    perWrite: random.integer(1, 3),
  };
  const { place, threadId } = await openFor(door, caller);
  const question: Question = { door, caller, place, text: questionText(seeded), key: `readers-${bench.seed}-${index}` };
  const label = `round ${index} (${door})`;
  const own: Asked = { ...notYetAsked(question, createReading(problems, `${label}: its client`)), threadId };
  const work = { bench, label, seeded };
  const asking = askAgainAndAgain(work, own, random);
  const runId = await runOf(caller, threadId);
  const readers = READERS.map(async (at, number) => {
    const chance = createRandom(bench.seed + index + (number + 1) * 7_919);
    const reading = createReading(problems, `${label}: reader ${number} at ${at}`);
    await sleep(chance.integer(0, 200));
    await readAlong(work, { at, asked: { question, reading, runId, threadId }, random: chance }, own);
  });
  await Promise.all([asking, ...readers]);
  problems.expect(own.runId === runId, 'doubled', `${label}: its client got run ${own.runId}, the thread has ${runId}`);
  problems.expect(bench.model.callsOf(seeded.seed) === 1, 'calls', `${label}: ${bench.model.callsOf(seeded.seed)} model calls`);
  bench.tally.characters += own.reading.text.length;
}

/** An empty thread by its name at the door and everywhere else. */
async function openFor(door: Door, caller: Caller): Promise<{ place: string; threadId: string }> {
  if (door === 'chat-sessions') {
    const { session, thread } = await openSession(caller);
    return { place: session, threadId: thread };
  }
  const place = (await openPlace(door, caller)) ?? randomUUID();
  return { place, threadId: place };
}

async function runOf(caller: Caller, threadId: string): Promise<string> {
  for (;;) {
    const runId = await runIfThere({ caller, threadId });
    if (runId !== null) return runId;
    await sleep(5);
  }
}

interface Work {
  readonly bench: Bench;
  readonly label: string;
  readonly seeded: SeededQuestion;
}

/** The client that asked: its connection is cut, it sends the same question with the same key. */
async function askAgainAndAgain(work: Work, own: Asked, random: Random): Promise<void> {
  const { door } = own.question;
  const isNumbered = door === 'native' || door === 'levia';
  await readCut(work, { asked: own, random }, async (limits) => {
    if (!isNumbered) {
      // chat-ws: by the question again and not by the history, which other readers use.
      return readAt(door, door === 'chat-ws' ? Object.assign(own, { runId: null }) : own, { problems: work.bench.problems, ...limits });
    }
    const answer = await sendRaw(questionRequest({ ...own.question, door }));
    work.bench.problems.expect(answer.status === 202, 'refused', `${work.label}: ${answer.status} ${answer.text}`);
    note(own, answer, work.bench.problems);
    return readAt(door, own, { problems: work.bench.problems, ...limits });
  });
  checkText(work, own);
}

interface ReaderTask {
  readonly at: Door;
  readonly asked: Asked;
  readonly random: Random;
}

/** A second reader; now and then one that has had a part of the answer elsewhere and goes on behind it. */
async function readAlong(work: Work, { at, asked, random }: ReaderTask, own: Asked): Promise<void> {
  const { problems, tally } = work.bench;
  if (at !== 'chat-ws' && random.integer(0, 1) === 1) {
    await takeBeginning(asked, problems, random);
    if (asked.reading.cursor !== null) tally.fromTheMiddle += 1;
  }
  let isLive = false;
  await readCut(work, { asked, random }, (limits, isLast) => {
    isLive = own.reading.end === null;
    if (isLast) work.bench.lastReaders.arrived(work.seeded.seed);
    return readAt(at, asked, { problems, ...limits });
  });
  if (isLive) tally.toTheEnd += 1;
  checkText(work, asked);
}

interface LoggedFact {
  readonly type: string;
  readonly offset: number;
}

/** Takes over a random number of events from what the log has just now, without a stream. */
async function takeBeginning({ question, reading, runId }: Asked, problems: Problems, random: Random): Promise<void> {
  const { status, text } = await get(question.caller, `${NATIVE}/runs/${runId}/events?wait=false`);
  problems.expect(status === 200, 'refused', `events of ${runId}: ${status} ${text}`);
  const { data } = JSON.parse(text) as { data: LoggedFact[] };
  const open = data.filter(({ type }) => !/^run\.(completed|failed|cancelled)$/.test(type));
  for (const fact of open.slice(0, random.integer(0, open.length))) {
    reading.take('native', { id: String(fact.offset), event: fact.type, data: JSON.stringify(fact) });
  }
}

type ReadOnce = (limits: SocketLimits, isLast: boolean) => Promise<{ status: number; stopped: string; text: string }>;

function randomCut(random: Random): SocketLimits {
  if (random.integer(0, 1) === 0) return { cutAfter: random.integer(0, CUT_BYTES) };
  return { signal: AbortSignal.timeout(random.integer(1, CUT_MS)) };
}

/** Reads to the end over connections that are cut after random times, the last one not. */
async function readCut({ bench, label }: Work, { asked, random }: Omit<ReaderTask, 'at'>, readOnce: ReadOnce): Promise<void> {
  const { reading } = asked;
  const cuts = random.integer(0, MAX_CUTS);
  for (let done = 0; done <= cuts && reading.end === null; done += 1) {
    const last = done === cuts;
    const { status, stopped, text } = await readOnce(last ? {} : randomCut(random), last);
    const cut = stopped === 'cut' && !last;
    bench.problems.expect(status === 200 || cut, 'refused', `${label}: ${status} ${stopped} ${text}`);
    if (stopped !== 'cut') return;
    bench.tally.cuts += 1;
    if (reading.end === null && reading.cursor === null) goOn(asked, 'chat-ws', 'chat-ws');
  }
}

function checkText({ bench, seeded, label }: Work, { reading, question }: Asked): void {
  const { problems } = bench;
  const who = `${label}, begun at ${question.door}`;
  reading.checkBeginnings();
  problems.expect(reading.end === 'completed', 'terminal', `${who}: ended as ${reading.end}: ${reading.lastFrame.slice(0, 200)}`);
  problems.expect(reading.text === expectedText(seeded), 'text', `${who}: ${reading.text.length} characters that are not the answer`);
}

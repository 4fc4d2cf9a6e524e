import { createHash } from 'node:crypto';
import { startTestApp } from '../support/app.ts';
import { inParallel } from '../support/parallel.ts';
import { createRandom, type Random } from '../support/random.ts';
import { createFrameReader } from '../support/raw-frames.ts';
import { sendRaw } from '../support/raw-http.ts';
import { expectedText, questionText, type SeededQuestion } from '../support/seeded-answer.ts';
import { startSeededModel } from '../support/seeded-model.ts';
import { type Asked, goOn, note, notYetAsked, reachableDoors, readAt, runIfThere } from './attach.ts';
import { DOORS, type Door, type NumberedDoor, openPlace, questionRequest, streamRequest } from './doors.ts';
import { createReading, readStream } from './reading.ts';
import { createProblems, type ProofReport } from './report.ts';
import { heapAfterCollection, watchDoors } from './soak.ts';
import type { ProofStore } from './stores.ts';

const AT_ONCE = 50;
const USERS = 40;
const MAX_CUTS = 10;
/** One answer in so many (prime, so that all doors and ways to resume get some) comes in a single huge write, so that doors must cut its events. */
const HUGE_EVERY = 41;
/** Bytes of a stream for each piece of text, roughly, so that cuts fall all over it; milliseconds at the door that shows nothing before the end. */
const PER_TOKEN: Readonly<Record<Door, number>> = { native: 40, levia: 25, 'chat-sessions': 8, 'chat-ws': 90, graph: 20, 'user-chat': 1 };

/** Counted over all streams of a proof. */
interface Tally {
  cuts: number;
  crossings: number;
  characters: number;
}

interface Bench {
  readonly url: string;
  readonly problems: ReturnType<typeof createProblems>;
  readonly tally: Tally;
  readonly run: string;
}

interface ResumeOptions {
  readonly seed: number;
  readonly streams: number;
  readonly store: ProofStore;
}

/**
 * Begins runs through all doors, cuts each one's stream at random places and resumes it there or through another door, and expects
 * every token once and in order, one terminal frame, and nothing left over in the server.
 */
export async function proveResume({ seed, streams, store }: ResumeOptions): Promise<ProofReport> {
  const model = await startSeededModel();
  const watch = watchDoors();
  // A reader that left must leave no entry behind: with so few places a leak is a refusal.
  const file = { limits: { readersPerRun: 4, drainSeconds: 60 } };
  const app = await startTestApp({
    env: { OPENAI_BASE_URL: model.baseUrl, LOG_LEVEL: 'error' },
    file,
    dialects: watch.dialects,
    databaseUrl: store.databaseUrl ?? '',
  });
  const problems = createProblems();
  const tally: Tally = { cuts: 0, crossings: 0, characters: 0 };
  const bench: Bench = { url: app.url, problems, tally, run: `resume-${seed}` };
  const numbers = Array.from({ length: streams }, (_, index) => index);
  const warmUp = Math.ceil(streams / 5);
  const started = performance.now();
  await inParallel(numbers.slice(0, warmUp), AT_ONCE, (index) => cutAndResume(bench, index, createRandom(seed + index)));
  const heapBefore = heapAfterCollection();
  await inParallel(numbers.slice(warmUp), AT_ONCE, (index) => cutAndResume(bench, index, createRandom(seed + index)));
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const openReaders = await watch.openReaders();
  const heapGrowth = heapAfterCollection() - heapBefore;
  problems.expect(model.calls === streams, 'calls', `${model.calls} model calls for ${streams} questions`);
  problems.expect(openReaders === 0, 'leak', `${openReaders} readers are left`);
  problems.expect(heapGrowth < 30_000_000 + streams * 2_000, 'leak', `the heap grew by ${heapGrowth} bytes`);
  problems.expect(await watch.isIdle(), 'leak', 'live runs are left');
  await app.close();
  await model.close();
  return { seed, problems, figures: { store: store.name, streams, ...tally, seconds, heapGrowth, openReaders } };
}

interface Stream extends Asked {
  /** Where it reads now. */
  door: Door;
}

/** The doors that open a place by themselves when a question names none. */
const OPENING: readonly Door[] = ['chat-sessions', 'graph', 'user-chat'];

async function cutAndResume(bench: Bench, index: number, random: Random): Promise<void> {
  const { problems } = bench;
  const asked = seededQuestion(index, random);
  const door = DOORS[index % DOORS.length] ?? 'native';
  const caller = { url: bench.url, user: `user-${index % USERS}` };
  const place = OPENING.includes(door) && random.integer(0, 1) === 0 ? null : await openPlace(door, caller);
  const question = { door, caller, place, text: questionText(asked), key: `${bench.run}-${index}` };
  const label = `stream ${index} (${door})`;
  const stream: Stream = { ...notYetAsked(question, createReading(problems, label)), door };
  if (door === 'native' || door === 'levia') await ask(bench, stream, door);
  const cuts = isHuge(index) ? MAX_CUTS : random.integer(1, MAX_CUTS);
  const room = 20 + Math.ceil((2 * asked.tokens * PER_TOKEN[door]) / (cuts + 1));
  await readInPieces(bench, stream, { cuts, room: door === 'user-chat' ? Math.min(room, 100) : room, random, crosses: isCrossing(index) });
  checkText(bench, stream, { expected: expectedText(asked), label });
  await checkLateReader(bench, stream, random);
}

/** Half of each door's streams. */
function isCrossing(index: number): boolean {
  return Math.floor(index / DOORS.length) % 2 === 0;
}

interface Cutting {
  readonly cuts: number;
  /** Bytes of a stream that are read at most before it is cut. */
  readonly room: number;
  readonly random: Random;
  readonly crosses: boolean;
}

/** Reads a stream to its end, cut again and again; the last reading is not cut. */
async function readInPieces(bench: Bench, stream: Stream, { cuts, room, random, crosses }: Cutting): Promise<void> {
  for (let done = 0; done <= cuts && stream.reading.end === null; done += 1) {
    const stopped = await readSome(bench, stream, done < cuts ? random.integer(0, room) : undefined);
    if (stopped !== 'cut') return;
    bench.tally.cuts += 1;
    if (stream.reading.end !== null) return;
    await learnRun(stream, crosses);
    chooseNext(bench, stream, crosses ? random : null);
  }
}

/** user-chat tells the run only with the answer; its client finds it in the thread to read on elsewhere. */
async function learnRun(stream: Stream, crosses: boolean): Promise<void> {
  const { question, threadId, runId } = stream;
  if (!crosses || question.door !== 'user-chat' || runId !== null || threadId === null) return;
  stream.runId = await runIfThere({ caller: question.caller, threadId });
}

function isHuge(index: number): boolean {
  return index % HUGE_EVERY === HUGE_EVERY - 1;
}

function seededQuestion(index: number, random: Random): SeededQuestion {
  const seed = random.integer(1, 2 ** 48);
  if (isHuge(index)) return { seed, tokens: random.integer(8_000, 25_000), delayMs: 5, perWrite: 50_000 };
  const tokens = random.integer(0, 20) === 0 ? random.integer(0, 3) : random.integer(10, 90);
  return { seed, tokens, delayMs: random.integer(0, 4), perWrite: random.integer(1, 3) };
}

async function ask({ problems }: Bench, stream: Stream, door: NumberedDoor): Promise<void> {
  const answer = await sendRaw(questionRequest({ ...stream.question, door }));
  problems.expect(answer.status === 202, 'refused', `${door}: ${answer.status} ${answer.text}`);
  note(stream, answer, problems);
}

async function readSome({ problems }: Bench, stream: Stream, cutAfter: number | undefined): Promise<string> {
  const answer = await readAt(stream.door, stream, { problems, ...(cutAfter !== undefined && { cutAfter }) });
  const cutEarly = answer.status === 0 && answer.stopped === 'cut' && cutAfter !== undefined;
  problems.expect(answer.status === 200 || cutEarly, 'refused', `${stream.door}: ${answer.status} ${answer.stopped} ${answer.text}`);
  return answer.stopped;
}

/** Decides through which door a cut stream goes on. */
function chooseNext({ tally }: Bench, stream: Stream, random: Random | null): void {
  const before = stream.door;
  if (random !== null) stream.door = random.pick(reachableDoors(stream));
  if (stream.door !== before) tally.crossings += 1;
  goOn(stream, before, stream.door);
}

function checkText({ problems, tally }: Bench, { reading }: Stream, { expected, label }: { expected: string; label: string }): void {
  reading.checkBeginnings();
  problems.expect(reading.end === 'completed', 'terminal', `${label}: ended as ${reading.end}: ${reading.lastFrame}`);
  problems.expect(sha256(reading.text) === sha256(expected), 'lost', `${label}: ${difference(reading.text, expected)}`);
  tally.characters += expected.length;
}

/** Whoever comes when all is over gets the same text; whoever comes with the last frame's id gets the end once more. */
async function checkLateReader(bench: Bench, stream: Stream, random: Random): Promise<void> {
  const { problems } = bench;
  const { question, runId, reading } = stream;
  if (runId === null || random.integer(0, 4) > 0) return;
  const door: NumberedDoor = random.pick(['native', 'levia']);
  const late = createReading(problems, `late reader of ${runId}`);
  await readStream(late, { door, problems, request: streamRequest(door, question.caller, { runId, cursor: null }) });
  problems.expect(late.text === reading.text && late.end === reading.end, 'lost', `${runId}: a late reader got another answer`);
  const { text } = await sendRaw(streamRequest('native', question.caller, { runId, cursor: late.cursor }));
  const frames = createFrameReader()(Buffer.from(text));
  const isTheEnd = frames.length === 1 && frames[0]?.id === late.cursor && frames[0].event === 'run.completed';
  problems.expect(isTheEnd, 'terminal', `${runId}: behind its end stands ${text}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Where two texts part, for people. */
function difference(found: string, expected: string): string {
  let at = 0;
  while (at < found.length && found[at] === expected[at]) at += 1;
  const show = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 10), at + 20));
  return `${found.length} of ${expected.length} characters, different from ${at}: ${show(found)} instead of ${show(expected)}`;
}

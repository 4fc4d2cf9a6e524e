import { createHash } from 'node:crypto';
import { startTestApp } from '../support/app.ts';
import { inParallel } from '../support/parallel.ts';
import { createRandom, type Random } from '../support/random.ts';
import { createFrameReader } from '../support/raw-frames.ts';
import { sendRaw } from '../support/raw-http.ts';
import { expectedText, questionText, type SeededQuestion } from '../support/seeded-answer.ts';
import { startSeededModel } from '../support/seeded-model.ts';
import { DOORS, type Door, type NumberedDoor, openPlace, type Question, questionRequest, streamRequest } from './doors.ts';
import { createReading, type Reading, readStream } from './reading.ts';
import { createProblems, type ProofReport } from './report.ts';
import { heapAfterCollection, watchDoors } from './soak.ts';

const AT_ONCE = 50;
const USERS = 40;
const MAX_CUTS = 10;
/** One answer in so many (an odd number, so that all doors and ways to resume get some) comes in a single huge write, so that doors must cut its events. */
const HUGE_EVERY = 41;
/** Bytes of a stream for each piece of text, roughly, so that cuts fall all over it. */
const BYTES_PER_TOKEN: Readonly<Record<Door, number>> = { native: 40, levia: 25, 'chat-sessions': 8 };

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

/**
 * Begins runs through the three doors, cuts each one's stream at random bytes and resumes it there or through another door, and expects
 * every token once and in order, one terminal frame, and nothing left over in the server.
 */
export async function proveResume({ seed, streams }: { seed: number; streams: number }): Promise<ProofReport> {
  const model = await startSeededModel();
  const watch = watchDoors();
  // A reader that left must leave no entry behind: with so few places a leak is a refusal.
  const file = { limits: { readersPerRun: 4, drainSeconds: 60 } };
  const app = await startTestApp({ env: { OPENAI_BASE_URL: model.baseUrl, LOG_LEVEL: 'error' }, file, dialects: watch.dialects });
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
  return { seed, problems, figures: { streams, ...tally, seconds, heapGrowth, openReaders } };
}

interface Stream {
  readonly question: Question;
  readonly reading: Reading;
  runId: string | null;
  /** Where it reads now. */
  door: Door;
}

async function cutAndResume(bench: Bench, index: number, random: Random): Promise<void> {
  const { problems } = bench;
  const asked = seededQuestion(index, random);
  const door = DOORS[index % DOORS.length] ?? 'native';
  const caller = { url: bench.url, user: `user-${index % USERS}` };
  const place = door === 'chat-sessions' && random.integer(0, 1) === 0 ? null : await openPlace(door, caller);
  const question = { door, caller, place, text: questionText(asked), key: `${bench.run}-${index}` };
  const label = `stream ${index} (${door})`;
  const stream: Stream = { question, reading: createReading(problems, label), runId: null, door };
  if (door !== 'chat-sessions') stream.runId = await ask(bench, stream);
  const cuts = isHuge(index) ? MAX_CUTS : random.integer(1, MAX_CUTS);
  const room = 20 + Math.ceil((2 * asked.tokens * BYTES_PER_TOKEN[door]) / (cuts + 1));
  await readInPieces(bench, stream, { cuts, room, random, crosses: index % 2 === 0 });
  checkText(bench, stream, { expected: expectedText(asked), label });
  await checkLateReader(bench, stream, random);
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
    if (stream.reading.end === null) chooseNext(bench, stream, crosses ? random : null);
  }
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

async function ask({ problems }: Bench, { question }: Stream): Promise<string | null> {
  const { status, headers, text } = await sendRaw(questionRequest(question));
  problems.expect(status === 202, 'refused', `${question.door}: ${status} ${text}`);
  return headerOf(headers['x-run-id']);
}

async function readSome({ problems }: Bench, stream: Stream, cutAfter: number | undefined): Promise<string> {
  const { question, reading, door } = stream;
  const request =
    door === 'chat-sessions'
      ? questionRequest(question)
      : streamRequest(door, question.caller, { runId: stream.runId ?? '', cursor: reading.cursor });
  const answer = await readStream(reading, { door, request, problems }, cutAfter === undefined ? {} : { cutAfter });
  problems.expect(answer.status === 200, 'refused', `${door}: ${answer.status} ${answer.text}`);
  const runId = headerOf(answer.headers['x-run-id']);
  problems.expect(stream.runId === null || stream.runId === runId, 'doubled', `${door}: run ${runId} instead of ${stream.runId}`);
  stream.runId ??= runId;
  return answer.stopped;
}

/** Decides through which door a cut stream goes on; from and to the door without ids only from the answer's start. */
function chooseNext({ tally }: Bench, stream: Stream, random: Random | null): void {
  const before = stream.door;
  const doors: readonly [Door, ...Door[]] = stream.question.door === 'chat-sessions' ? DOORS : ['native', 'levia'];
  if (random !== null) stream.door = random.pick(doors);
  if (stream.door !== before) tally.crossings += 1;
  if (stream.door === 'chat-sessions' || before === 'chat-sessions') stream.reading.startAgain();
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

function headerOf(value: string | string[] | undefined): string | null {
  return typeof value === 'string' ? value : null;
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

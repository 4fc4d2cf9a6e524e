import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApp } from '../support/app.ts';
import { inParallel } from '../support/parallel.ts';
import { createRandom, type Random } from '../support/random.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { expectedText, questionText, type SeededQuestion } from '../support/seeded-answer.ts';
import { type SeededModel, startSeededModel } from '../support/seeded-model.ts';
import { createServerDirectory } from '../support/server-process.ts';
import { countInDatabase, countStored } from '../support/stored-counts.ts';
import { notYetAsked, readAt } from './attach.ts';
import { type Door, openPlace, type Question, questionRequest, streamRequest } from './doors.ts';
import { createReading, readStream } from './reading.ts';
import { createProblems, type Problems, type ProofReport } from './report.ts';
import type { ProofStore } from './stores.ts';

const AT_ONCE = 25;
/** Questions in one thread of the doors that can queue them. */
const SHARED_BY = 4;
const USERS = 20;

/** The ways to ask: a door, whether it streams, and whether the thread is there before. On chat-ws a client names it, and the first question makes it. */
const WAYS: readonly { readonly door: Door; readonly stream: boolean; readonly opens: boolean }[] = [
  { door: 'native', stream: false, opens: true },
  { door: 'levia', stream: false, opens: true },
  { door: 'chat-sessions', stream: true, opens: false },
  { door: 'chat-ws', stream: true, opens: true },
  { door: 'graph', stream: true, opens: false },
  { door: 'user-chat', stream: false, opens: false },
  { door: 'chat-sessions', stream: false, opens: false },
  { door: 'chat-sessions', stream: true, opens: true },
  { door: 'chat-sessions', stream: false, opens: true },
  { door: 'graph', stream: true, opens: true },
  { door: 'user-chat', stream: false, opens: true },
];

interface Bench {
  readonly model: SeededModel;
  readonly problems: Problems;
  readonly url: string;
  readonly seed: number;
  /** Threads that several questions share, by door and group. */
  readonly places: Map<string, Promise<string | null>>;
  readonly tally: { sent: number; aborted: number; refused: number };
}

interface TwiceOptions {
  readonly seed: number;
  readonly questions: number;
  readonly store: ProofStore;
}

/**
 * Sends each question three times at once with one Idempotency-Key, gives one of the three up, sends it once more afterwards, and expects
 * one message, one run, one model call and one answer; the same key with another text is refused and stores nothing.
 */
export async function proveTwice({ seed, questions, store }: TwiceOptions): Promise<ProofReport> {
  const model = await startSeededModel();
  const { directory, remove } = await createServerDirectory();
  const app = await startTestApp({
    env: { OPENAI_BASE_URL: model.baseUrl, LOG_LEVEL: 'error' },
    dataDir: directory,
    databaseUrl: store.databaseUrl ?? '',
  });
  const problems = createProblems();
  const bench: Bench = { model, problems, url: app.url, seed, places: new Map(), tally: { sent: 0, aborted: 0, refused: 0 } };
  const numbers = Array.from({ length: questions }, (_, index) => index);
  await inParallel(numbers, AT_ONCE, (index) => askAgainAndAgain(bench, index));
  await app.close();
  await model.close();
  const stored = await (store.databaseUrl === null ? countStored(directory) : countInDatabase(store.databaseUrl));
  await remove();
  const threads = bench.places.size + numbers.filter((index) => WAYS[index % WAYS.length]?.opens === false).length;
  problems.expect(stored.threads === threads, 'doubled', `${stored.threads} threads instead of ${threads}`);
  problems.expect(stored.questions === questions, 'doubled', `${stored.questions} user messages for ${questions} questions`);
  problems.expect(stored.runs === questions, 'doubled', `${stored.runs} runs for ${questions} questions`);
  problems.expect(stored.answers === questions, 'doubled', `${stored.answers} answers for ${questions} questions`);
  problems.expect(stored.unfinished === 0, 'terminal', `${stored.unfinished} runs have not ended`);
  problems.expect(model.calls === questions, 'calls', `${model.calls} model calls for ${questions} questions`);
  return { seed, problems, figures: { store: store.name, ...bench.tally, ...stored, calls: model.calls } };
}

async function askAgainAndAgain(bench: Bench, index: number): Promise<void> {
  const { problems, tally } = bench;
  const random = createRandom(bench.seed + index);
  const asked = { seed: random.integer(1, 2 ** 48), tokens: random.integer(0, 30), delayMs: random.integer(0, 2), perWrite: 2 };
  const question = await questionFor(bench, { index, asked });
  const label = `${question.door} ${question.key}`;
  const copies = [send(bench, question), send(bench, question), send(bench, question, givenUpAfter(random))];
  const results = [...(await Promise.all(copies)), await send(bench, question)];
  tally.sent += results.length;
  if (results[2]?.stopped === 'cut') tally.aborted += 1;
  checkCopies(results, { problems, label });
  const runId = results[3]?.runId ?? null;
  if (runId !== null) await checkAnswer(bench, { question, runId, expected: expectedText(asked), streamed: results[3]?.streamed });
  problems.expect(bench.model.callsOf(asked.seed) === 1, 'calls', `${label}: ${bench.model.callsOf(asked.seed)} model calls`);
  if (index % 5 === 0) await checkOtherBody(bench, { ...question, text: questionText({ ...asked, tokens: asked.tokens + 1 }) });
}

async function questionFor(bench: Bench, { index, asked }: { index: number; asked: SeededQuestion }): Promise<Question> {
  const way = WAYS[index % WAYS.length] ?? WAYS[0];
  if (way === undefined) throw new Error('No way to ask');
  const { door, stream, opens } = way;
  const group = Math.floor(index / WAYS.length / SHARED_BY);
  const caller = { url: bench.url, user: `user-${group % USERS}` };
  const shared = `${door} ${door === 'chat-sessions' ? index : group}`;
  if (opens && !bench.places.has(shared)) bench.places.set(shared, openPlace(door, caller));
  const place = opens ? ((await bench.places.get(shared)) ?? null) : null;
  return { door, caller, place, stream, text: questionText(asked), key: `twice-${bench.seed}-${index}` };
}

function givenUpAfter(random: Random): AbortSignal {
  const left = new AbortController();
  const ms = random.integer(0, 40);
  void sleep(ms).then(() => left.abort());
  return left.signal;
}

interface Copy {
  readonly status: number;
  readonly stopped: RawAnswer['stopped'];
  readonly runId: string | null;
  /** Whether it says that it is a repetition; null at the door that never says so. */
  readonly replayed: boolean | null;
  /** The body, or the text of the stream. */
  readonly body: string;
  /** Text of the stream; undefined when the answer is JSON. */
  readonly streamed: string | undefined;
}

async function send({ problems }: Bench, question: Question, signal?: AbortSignal): Promise<Copy> {
  const { door, stream } = question;
  const streams = door === 'chat-ws' || door === 'graph' || (door === 'chat-sessions' && stream !== false);
  const asked = notYetAsked(question, createReading(problems, question.key));
  const limits = signal === undefined ? {} : { signal };
  const answer = await (streams ? readAt(door, asked, { problems, ...limits }) : sendRaw(questionRequest({ ...question, door }), limits));
  const runId = answer.headers['x-run-id'];
  const { text } = asked.reading;
  return {
    status: answer.status,
    stopped: answer.stopped,
    runId: typeof runId === 'string' ? runId : null,
    replayed: door === 'chat-ws' ? null : answer.headers['idempotent-replayed'] === 'true',
    body: streams && answer.status === 200 ? text : answer.text,
    streamed: streams ? text : undefined,
  };
}

/** All copies are one: the same run and body, and all but one say that they are a repetition. */
function checkCopies(results: readonly Copy[], { problems, label }: { problems: Problems; label: string }): void {
  const heads = results.filter(({ runId, stopped }) => runId !== null || stopped === 'complete');
  const whole = results.filter(({ stopped }) => stopped === 'complete');
  const last = results.at(-1);
  problems.expect(whole.length >= 3, 'refused', `${label}: ${whole.length} of ${results.length} were answered`);
  if (last?.replayed !== null) checkMarks(heads, results, { problems, label });
  for (const { runId, status, body } of heads) {
    problems.expect(runId !== null && runId === last?.runId, 'doubled', `${label}: ${status} run ${runId} and run ${last?.runId}: ${body}`);
    problems.expect(status === last?.status, 'refused', `${label}: status ${status} and ${last?.status}: ${body}`);
  }
  for (const { body } of whole) problems.expect(body === last?.body, 'doubled', `${label}: two answers: ${body} and ${last?.body}`);
}

function checkMarks(heads: readonly Copy[], results: readonly Copy[], { problems, label }: { problems: Problems; label: string }): void {
  problems.expect(results.at(-1)?.replayed === true, 'replayed', `${label}: the last copy is not marked as a repetition`);
  const firsts = heads.filter(({ replayed }) => !replayed).length;
  const right = firsts === 1 || (firsts === 0 && heads.length < results.length);
  problems.expect(right, 'replayed', `${label}: ${firsts} of ${heads.length} answers are not marked as repetitions`);
}

interface Answered {
  readonly question: Question;
  readonly runId: string;
  readonly expected: string;
  readonly streamed: string | undefined;
}

async function checkAnswer({ problems }: Bench, { question, runId, expected, streamed }: Answered): Promise<void> {
  const reading = createReading(problems, question.key);
  await readStream(reading, { door: 'levia', problems, request: streamRequest('levia', question.caller, { runId, cursor: null }) });
  problems.expect(reading.text === expected && reading.end === 'completed', 'text', `${question.key}: ${reading.end} with another text`);
  problems.expect(streamed === undefined || streamed === expected, 'text', `${question.key}: the stream brought another text`);
}

const OTHER_BODY: Readonly<Record<Door, readonly [string, RegExp]>> = {
  native: ['application/problem+json', /"code":"idempotency_mismatch"/],
  levia: ['application/json', /^\{"status":"error","message":"[^"]+"\}$/],
  'chat-sessions': ['application/json', /^\{"detail":"[^"]+","code":"idempotency_mismatch"\}$/],
  'chat-ws': ['', /^\{"type":"error","message":"This client ID was used with another message","code":"idempotency_mismatch",/],
  graph: ['application/json', /^\{"detail":\[\{"type":"idempotency_mismatch","loc":\["body"\],"msg":"[^"]+","input":/],
  'user-chat': ['application/json', /^\{"success":false,"detail":"[^"]+","error":"[^"]+","code":"INPUT_\d+"/],
};

/** The key with another text is refused in the door's own shape. */
async function checkOtherBody({ problems, tally }: Bench, question: Question): Promise<void> {
  const { door } = question;
  const asked = notYetAsked(question, createReading(problems, question.key));
  const { status, headers, text } = await (door === 'chat-ws'
    ? readAt(door, asked, { problems })
    : sendRaw(questionRequest({ ...question, door })));
  const [type, shape] = OTHER_BODY[door];
  const right = status === 422 && String(headers['content-type'] ?? '').startsWith(type) && shape.test(text);
  problems.expect(right, 'mismatch', `${question.door} ${question.key}: ${status} ${text}`);
  tally.refused += 1;
}

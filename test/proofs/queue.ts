import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApp } from '../support/app.ts';
import { inParallel } from '../support/parallel.ts';
import { createRandom, type Random } from '../support/random.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { questionText, type SeededQuestion } from '../support/seeded-answer.ts';
import { type SeededModel, startSeededModel } from '../support/seeded-model.ts';
import { notYetAsked, readAt } from './attach.ts';
import { type Door, openSession, type Question, questionRequest } from './doors.ts';
import { checkQueue, type QueuedThread, type SentQuestion } from './queue-check.ts';
import { createReading } from './reading.ts';
import { createProblems, type Problems, type ProofReport } from './report.ts';
import type { ProofStore } from './stores.ts';
import { followFacts } from './thread-facts.ts';
import { watchThread } from './thread-watch.ts';

/** Threads in which all senders ask at the same time. */
const AT_ONCE = 25;
const MESSAGES = 4;
/** The senders of a thread: those that wait for no answer, and those that do. */
const SENDERS: readonly Door[] = [
  ...(['native', 'native', 'native', 'levia', 'levia', 'levia'] as const),
  ...(['chat-sessions', 'chat-sessions', 'chat-ws', 'chat-ws', 'graph', 'user-chat'] as const),
];
/** One thread in so many begins with an answer that takes longer than all others take to ask, so that its queue overflows. */
const SLOW_EVERY = 5;
const FACTS_OF_A_QUESTION = 4;

interface Bench {
  readonly url: string;
  /** Of the server that every second sender uses. */
  readonly otherUrl: string;
  readonly seed: number;
  readonly model: SeededModel;
  readonly problems: Problems;
  readonly tally: { questions: number; full: number; conflicts: number };
}

interface QueueOptions {
  readonly seed: number;
  readonly threads: number;
  readonly store: ProofStore;
}

/**
 * Lets twelve senders at all doors ask in each thread at the same time, and expects one order for all: dense numbers, each answer
 * below its question and each question below the answer before it, one running run at a time, the same facts for every reader.
 */
export async function proveQueue({ seed, threads, store }: QueueOptions): Promise<ProofReport> {
  const model = await startSeededModel();
  const env = { OPENAI_BASE_URL: model.baseUrl, LOG_LEVEL: 'error' };
  const start = () => startTestApp({ env, databaseUrl: store.databaseUrl ?? '' });
  const app = await start();
  // Where several servers may share a thread they do.
  const other = store.databaseUrl === null ? null : await start();
  const problems = createProblems();
  const bench: Bench = {
    url: app.url,
    otherUrl: other?.url ?? app.url,
    seed,
    model,
    problems,
    tally: { questions: 0, full: 0, conflicts: 0 },
  };
  const numbers = Array.from({ length: threads }, (_, index) => index);
  await inParallel(numbers, AT_ONCE, (index) => talkAtOnce(bench, index));
  problems.expect(model.calls === bench.tally.questions, 'calls', `${model.calls} model calls for ${bench.tally.questions} questions`);
  const overlaps = new Set(model.overlaps);
  problems.expect(overlaps.size === 0, 'order', `two answers at a time in ${[...overlaps].join(', ')}`);
  await other?.close();
  await app.close();
  await model.close();
  return { seed, problems, figures: { store: store.name, threads, senders: SENDERS.length, ...bench.tally } };
}

async function talkAtOnce(bench: Bench, index: number): Promise<void> {
  const random = createRandom(bench.seed + index);
  const caller = { url: bench.url, user: `user-${index}` };
  const names = await openSession(caller);
  const thread: QueuedThread = { caller, threadId: names.thread, sent: [] };
  const slow = index % SLOW_EVERY === 0;
  const total = SENDERS.length * MESSAGES + (slow ? 1 : 0);
  const device = await watchThread(caller, names.thread);
  const facts = followFacts(thread, { until: total * FACTS_OF_A_QUESTION, problems: bench.problems });
  const at = { bench, thread, random, label: `thread ${index}` };
  if (slow) await ask({ ...at, door: 'native', sender: 'slow', place: names.thread, pace: { tokens: 40, delayMs: 50 } });
  const senders = SENDERS.map((door, sender) =>
    sendInOrder({ ...at, door, sender: String(sender), place: door === 'chat-sessions' ? names.session : names.thread }),
  );
  await Promise.all(senders);
  await checkQueue(thread, { model: bench.model, problems: bench.problems, live: await facts, device });
  device.close();
}

interface Sender {
  readonly bench: Bench;
  readonly thread: QueuedThread;
  readonly random: Random;
  readonly label: string;
  readonly door: Door;
  readonly sender: string;
  readonly place: string;
}

async function sendInOrder(sender: Sender): Promise<void> {
  for (let turn = 0; turn < MESSAGES; turn += 1) {
    await ask({ ...sender, pace: { tokens: sender.random.integer(0, 6), delayMs: sender.random.integer(0, 3) } });
  }
}

async function ask({ bench, thread, random, label, door, sender, place, pace }: Sender & { pace: Pace }): Promise<void> {
  const { tally } = bench;
  const asked: SeededQuestion = { seed: random.integer(1, 2 ** 48), perWrite: 1, thread: label, ...pace };
  tally.questions += 1;
  const key = `queue-${bench.seed}-${label.replace(' ', '-')}-${tally.questions}`;
  const url = Number(sender) % 2 === 1 ? bench.otherUrl : bench.url;
  const question: Question = { door, caller: { ...thread.caller, url }, place, text: questionText(asked), key };
  for (;;) {
    const answer = await post(bench, question);
    const runId = answer.headers['x-run-id'];
    if (answer.status < 300 && typeof runId === 'string') {
      thread.sent.push({ seed: asked.seed, sender, runId } satisfies SentQuestion);
      return;
    }
    if (answer.status === 429) tally.full += 1;
    else if (answer.status === 409) tally.conflicts += 1;
    // user-chat waits two minutes; the same POST again waits on.
    else if (answer.status === 504) continue;
    else throw new Error(`${door} refused with ${answer.status} (${answer.stopped}): ${answer.text}`);
    await sleep(answer.status === 429 ? Number(answer.headers['retry-after']) * 1000 : random.integer(1, 50));
  }
}

type Pace = Pick<SeededQuestion, 'tokens' | 'delayMs'>;

/** Sends a question; at the doors that answer with the answer, reads that to its end. */
async function post({ problems }: Bench, question: Question): Promise<RawAnswer> {
  const { door } = question;
  if (door === 'native' || door === 'levia') return sendRaw(questionRequest({ ...question, door }));
  const asked = notYetAsked(question, createReading(problems, question.key));
  const answer = await readAt(door, asked, { problems });
  problems.expect(answer.status !== 200 || asked.reading.end === 'completed', 'terminal', `${question.key}: ended as ${asked.reading.end}`);
  return answer;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inParallel } from '../support/parallel.ts';
import { createRandom, type Random } from '../support/random.ts';
import { type SeededModel, startSeededModel } from '../support/seeded-model.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { type Caller, DOORS, type Door, openPlace, openSession } from './doors.ts';
import { checkThread, type KilledThread, type Outcomes } from './kill-check.ts';
import { askAndRead, type Client, createClient, noteDeath, resumeToEnd } from './kill-client.ts';
import { createProblems, type Problems, type ProofReport } from './report.ts';
import type { ProofStore } from './stores.ts';

const UNSAFE_SERVER = fileURLToPath(new URL('../support/unsafe-server.ts', import.meta.url));
/** Threads of a round, each with a live stream; the last ten get three questions at three doors, two of which wait: 70 questions. */
const THREADS = 50;
const QUEUEING = 10;
const AT_ONCE = 50;
const QUIET_MS = 40;
/** One round in so many stops the server with SIGTERM and no time to drain, which leaves queued runs behind that nothing stands before. */
const DRAIN_EVERY = 5;

interface KillOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly store: ProofStore;
  /** Starts the server that delivers before it commits. */
  readonly unsafe?: boolean;
}

interface Bench {
  readonly model: SeededModel;
  readonly problems: Problems;
  readonly outcomes: Outcomes;
  readonly tally: { seenCharacters: number; unacknowledged: number };
}

/**
 * Kills the built server with `kill -9` (in some rounds: stops it) while answers stream through all doors, starts it again on the same
 * data, and compares what clients had with what is stored: nothing acknowledged and nothing seen may be lost, queued questions are
 * answered, every client gets an end.
 */
export async function proveKill({ seed, rounds, store, unsafe = false }: KillOptions): Promise<ProofReport> {
  const model = await startSeededModel();
  const { directory, remove } = await createServerDirectory({ limits: { drainSeconds: 0 } });
  const problems = createProblems();
  const bench: Bench = { model, problems, outcomes: { completed: 0, interrupted: 0 }, tally: { seenCharacters: 0, unacknowledged: 0 } };
  const startServer = () =>
    startServerProcess({
      directory,
      env: { OPENAI_BASE_URL: model.baseUrl, LOG_LEVEL: 'info', DATABASE_URL: store.databaseUrl ?? '' },
      ...(unsafe && { command: [process.execPath, UNSAFE_SERVER] as const }),
    });
  const started = performance.now();
  let server = await startServer();
  try {
    for (let round = 0; round < rounds; round += 1) {
      const random = createRandom(seed + round);
      const signal = round % DRAIN_EVERY === 1 ? 'SIGTERM' : 'SIGKILL';
      const threads = await streamAndKill(bench, server, { random, name: `${seed}-${round}`, signal });
      server = await startServer();
      await takeUpAgain(bench, threads, { url: server.url, random });
    }
  } finally {
    await server.stop('SIGKILL');
    await model.close();
    await remove();
  }
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const lost = problems.count('lost');
  return { seed, problems, figures: { store: store.name, rounds, ...bench.outcomes, ...bench.tally, lost, seconds } };
}

interface Round {
  readonly random: Random;
  readonly name: string;
  readonly signal: 'SIGKILL' | 'SIGTERM';
}

async function streamAndKill(bench: Bench, server: ServerProcess, round: Round): Promise<readonly KilledThread[]> {
  const { problems, tally } = bench;
  const numbers = Array.from({ length: THREADS }, (_, index) => index);
  const threads: KilledThread[] = [];
  await inParallel(numbers, AT_ONCE, async (index) => void threads.push(await openThread(bench, server, { ...round, index })));
  const reading = threads.map((thread) => askInOrder(thread, { problems, afterMs: startOf(round.random) }));
  await untilSomethingSeen(threads);
  await sleep(round.random.integer(50, 600));
  await server.stop(round.signal);
  await Promise.all(reading);
  for (const client of threads.flatMap(({ clients }) => clients)) {
    noteDeath(client);
    tally.seenCharacters += client.before.text.length;
    if (client.sent && !client.before.acknowledged) tally.unacknowledged += 1;
  }
  return threads;
}

/** Waits for the first text that a client gets, so that a slow machine dies in the middle of answers too. */
async function untilSomethingSeen(threads: readonly KilledThread[]): Promise<void> {
  const seen = () => threads.some(({ clients }) => clients.some(({ reading }) => reading.text !== ''));
  for (let waited = 0; waited < 5_000 && !seen(); waited += 5) await sleep(5);
}

async function openThread({ problems }: Bench, { url }: ServerProcess, at: Round & { index: number }): Promise<KilledThread> {
  const { index, random, name } = at;
  const caller = { url, user: `user-${index % 7}` };
  const queues = index >= THREADS - QUEUEING;
  const placeAt = queues ? await openForAll(caller) : (door: Door) => (OPENING.includes(door) ? null : openPlace(door, caller));
  const clients: Client[] = [];
  for (let turn = 0; turn < (queues ? 3 : 1); turn += 1) {
    const door = DOORS[(index + turn) % DOORS.length] ?? 'native';
    const asked = { seed: random.integer(1, 2 ** 48), tokens: random.integer(10, 250), delayMs: random.integer(1, 4), perWrite: 1 };
    clients.push(createClient(asked, { door, caller, place: await placeAt(door), key: `kill-${name}-${index}-${turn}` }, problems));
  }
  return { caller, clients };
}

/** The doors that open a place by themselves. */
const OPENING: readonly Door[] = ['chat-sessions', 'graph', 'user-chat'];

/** One thread, by its name at each door. */
async function openForAll(caller: Caller): Promise<(door: Door) => string> {
  const { session, thread } = await openSession(caller);
  return (door) => (door === 'chat-sessions' ? session : thread);
}

/** Most threads begin at once, the others until the server dies and behind that, so that some POSTs are never answered. */
function startOf(random: Random): number {
  return random.integer(0, 3) > 0 ? 0 : random.integer(1, 500);
}

/** Asks a thread's questions one after the other, each as soon as the one before is acknowledged; reads all answers. */
async function askInOrder({ clients }: KilledThread, { problems, afterMs }: { problems: Problems; afterMs: number }): Promise<void> {
  if (afterMs > 0) await sleep(afterMs);
  const readers: Promise<void>[] = [];
  for (const client of clients) {
    const { acknowledged, done } = askAndRead(client, problems);
    readers.push(done);
    // user-chat tells nothing before the end: the next question follows soon, and waits in the queue.
    const isQuiet = client.question.door === 'user-chat';
    if (!(await (isQuiet ? Promise.race([acknowledged, sleep(QUIET_MS, true)]) : acknowledged))) break;
  }
  await Promise.all(readers);
}

async function takeUpAgain(bench: Bench, threads: readonly KilledThread[], at: { url: string; random: Random }): Promise<void> {
  const { problems } = bench;
  const alive = threads.map(({ caller, clients }) => ({ caller: { ...caller, url: at.url }, clients: clients.filter(({ sent }) => sent) }));
  await Promise.all(
    alive.flatMap(({ caller, clients }) =>
      clients.map((client) => resumeToEnd(client, { caller, random: at.random.integer(0, 1) === 1 ? at.random : null, problems })),
    ),
  );
  await inParallel(alive, AT_ONCE, (thread) => checkThread(thread, bench));
}

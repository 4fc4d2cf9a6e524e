import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inParallel } from '../support/parallel.ts';
import { createRandom, type Random } from '../support/random.ts';
import { type SeededModel, startSeededModel } from '../support/seeded-model.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { DOORS, openPlace } from './doors.ts';
import { checkThread, type KilledThread, type Outcomes } from './kill-check.ts';
import { askAndRead, createClient, noteDeath, resumeToEnd } from './kill-client.ts';
import { createProblems, type Problems, type ProofReport } from './report.ts';

const UNSAFE_SERVER = fileURLToPath(new URL('../support/unsafe-server.ts', import.meta.url));
/** Threads of a round; the last third of them gets three questions, two of which wait: 50 questions. */
const THREADS = 30;
const QUEUEING = 10;
const AT_ONCE = 30;
/** One round in so many stops the server with SIGTERM and no time to drain, which leaves queued runs behind that nothing stands before. */
const DRAIN_EVERY = 5;

interface KillOptions {
  readonly seed: number;
  readonly rounds: number;
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
 * Kills the built server with `kill -9` (in some rounds: stops it) while answers stream through all three doors, starts it again on the
 * same data, and compares what clients had with what is stored: nothing acknowledged and nothing seen may be lost, queued questions are
 * answered, every client gets an end.
 */
export async function proveKill({ seed, rounds, unsafe = false }: KillOptions): Promise<ProofReport> {
  const model = await startSeededModel();
  const { directory, remove } = await createServerDirectory({ limits: { drainSeconds: 0 } });
  const problems = createProblems();
  const bench: Bench = { model, problems, outcomes: { completed: 0, interrupted: 0 }, tally: { seenCharacters: 0, unacknowledged: 0 } };
  const startServer = () =>
    startServerProcess({
      directory,
      env: { OPENAI_BASE_URL: model.baseUrl, LOG_LEVEL: 'info' },
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
  return { seed, problems, figures: { rounds, ...bench.outcomes, ...bench.tally, lost, seconds } };
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

async function openThread({ problems }: Bench, { url }: ServerProcess, at: Round & { index: number }): Promise<KilledThread> {
  const { index, random, name } = at;
  const door = DOORS[index % DOORS.length] ?? 'native';
  const caller = { url, user: `user-${index % 7}` };
  const queues = index >= THREADS - QUEUEING;
  const place = door === 'chat-sessions' && !queues ? null : await openPlace(door, caller);
  const clients = Array.from({ length: queues ? 3 : 1 }, (_, turn) => {
    const asked = { seed: random.integer(1, 2 ** 48), tokens: random.integer(10, 120), delayMs: random.integer(1, 4), perWrite: 1 };
    return createClient(asked, { door, caller, place, key: `kill-${name}-${index}-${turn}` }, problems);
  });
  return { caller, clients };
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
    if (!(await acknowledged)) break;
  }
  await Promise.all(readers);
}

async function takeUpAgain(bench: Bench, threads: readonly KilledThread[], at: { url: string; random: Random }): Promise<void> {
  const { problems } = bench;
  const alive = threads.map(({ caller, clients }) => ({ caller: { ...caller, url: at.url }, clients: clients.filter(({ sent }) => sent) }));
  await Promise.all(
    alive.flatMap(({ caller, clients }) =>
      clients.map((client) => resumeToEnd(client, { caller, crosses: at.random.integer(0, 1) === 1, problems })),
    ),
  );
  await inParallel(alive, AT_ONCE, (thread) => checkThread(thread, bench));
}

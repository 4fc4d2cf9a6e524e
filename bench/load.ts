import { type Place, type Protocol, protocols } from './protocols.ts';
import { createCheck, writePrompt } from './script.ts';

// The load generator, a process of its own: it reads as a client does and checks every token, so that fast and wrong is not a result.

/** What to ask for. */
export interface Load {
  readonly place: Place;
  readonly protocol: Protocol;
  /** Streams at a time. */
  readonly streams: number;
  /** Questions of each, one after the other. */
  readonly questions: number;
  readonly tokens: number;
  readonly delayMs: number;
  readonly batch: number;
  /** The streams begin spread over this time. */
  readonly spreadMs: number;
}

/** What came of it. Times in milliseconds. */
export interface LoadResult {
  readonly tokens: number;
  readonly answers: number;
  readonly failures: readonly string[];
  readonly wallMs: number;
  readonly first: Percentiles;
  readonly gap: Percentiles;
  readonly answer: Percentiles;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

function percentiles(values: number[]): Percentiles {
  values.sort((left, right) => left - right);
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

async function run(load: Load): Promise<LoadResult> {
  const firsts: number[] = [];
  const gaps: number[] = [];
  const answers: number[] = [];
  const failures: string[] = [];
  let tokens = 0;
  const ask = protocols[load.protocol];

  async function question(id: string): Promise<void> {
    const script = { id, tokens: load.tokens, delayMs: load.delayMs, batch: load.batch };
    const check = createCheck(script);
    const begun = performance.now();
    let last = 0;
    await ask(load.place, writePrompt(script), (text) => {
      if (text === '') return;
      const now = performance.now();
      if (last === 0) firsts.push(now - begun);
      else gaps.push(now - last);
      last = now;
      check.add(text);
    });
    if (check.tokens !== load.tokens) throw new Error(`Stream ${id}: ${check.tokens} of ${load.tokens} tokens`);
    tokens += check.tokens;
    answers.push(performance.now() - begun);
  }

  async function stream(at: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, (at / load.streams) * load.spreadMs));
    for (let round = 0; round < load.questions; round += 1) {
      await question(`s${at}q${round}`).catch((error: unknown) => failures.push(String(error).slice(0, 300)));
    }
  }

  const begun = performance.now();
  await Promise.all(Array.from({ length: load.streams }, (_, at) => stream(at)));
  const wallMs = performance.now() - begun;
  return {
    tokens,
    answers: answers.length,
    failures,
    wallMs,
    first: percentiles(firsts),
    gap: percentiles(gaps),
    answer: percentiles(answers),
  };
}

process.on('message', (load: Load) => void run(load).then((result) => process.send?.(result)));
process.once('disconnect', () => process.exit(0));

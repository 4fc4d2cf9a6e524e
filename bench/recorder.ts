import { createCheck, type Script } from './script.ts';

/** Milliseconds. */
interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** What came of a load. Times in milliseconds. */
export interface LoadResult {
  readonly tokens: number;
  readonly answers: number;
  /** What was wrong with the answers that are not among the others. */
  readonly failures: readonly string[];
  readonly wallMs: number;
  /** From the question to the first text. */
  readonly first: Percentiles;
  /** Between two texts of an answer. */
  readonly gap: Percentiles;
  /** From the question to the end. */
  readonly answer: Percentiles;
}

/** Notes when texts come, and checks them. */
export interface Recorder {
  /** Reads one answer by `ask`, which resolves at its end; counts it as a failure when a token is wrong or missing. */
  read(script: Script, ask: (onText: (text: string) => void) => Promise<void>): Promise<void>;
  result(): LoadResult;
}

function percentiles(values: number[]): Percentiles {
  values.sort((left, right) => left - right);
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

export function createRecorder(): Recorder {
  const [firsts, gaps, answers]: [number[], number[], number[]] = [[], [], []];
  const failures: string[] = [];
  const created = performance.now();
  let tokens = 0;

  async function readWhole(script: Script, ask: (onText: (text: string) => void) => Promise<void>): Promise<void> {
    const check = createCheck(script);
    const begun = performance.now();
    let last = 0;
    await ask((text) => {
      if (text === '') return;
      const now = performance.now();
      if (last === 0) firsts.push(now - begun);
      else gaps.push(now - last);
      last = now;
      check.add(text);
    });
    if (!check.complete) throw new Error(`Stream ${script.id} ended before its last token`);
    tokens += script.tokens;
    answers.push(performance.now() - begun);
  }

  return {
    async read(script, ask) {
      await readWhole(script, ask).catch((error: unknown) => failures.push(String(error).slice(0, 300)));
    },
    result: () => ({
      ...{ tokens, failures, answers: answers.length, wallMs: performance.now() - created },
      ...{ first: percentiles(firsts), gap: percentiles(gaps), answer: percentiles(answers) },
    }),
  };
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TokenCounter } from '../../core/ports/token-counter.ts';

const SLICE_CHARACTERS = 1000;
/** Texts shorter than this are counted faster than they are looked up. */
const SHORTEST_REMEMBERED = 200;
const REMEMBERED_CHARACTERS = 1_000_000;
/** How long counting may hold up everything else. */
const TURN_MS = 4;

type Count = (text: string) => number;

/** Counts with the vocabulary o200k_base, close enough for other models. Its 80 MB are loaded by the first `load()`. */
export function createTokenCounter(): TokenCounter {
  let loading: Promise<void> | null = null;
  let countSlice: Count | null = null;
  let latest: Promise<unknown> = Promise.resolve();
  const memory = createMemory();

  async function loadVocabulary(): Promise<void> {
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
    const ordinary = { disallowedSpecial: new Set<string>() };
    countSlice = (text) => countTokens(text, ordinary);
  }

  /** One long text at a time, so that many conversations together take no more of a turn than one. */
  async function countLong(text: string, limit: number, count: Count): Promise<number> {
    const known = memory.recall(text);
    if (known !== undefined) return known;
    const counting = latest.then(() => sumOfSlices(text, limit, count));
    latest = counting.catch(() => undefined);
    const sum = await counting;
    if (sum <= limit) memory.remember(text, sum);
    return sum;
  }

  return {
    load() {
      loading ??= loadVocabulary().catch((error: unknown) => {
        loading = null;
        throw error;
      });
      return loading;
    },
    async count(text, limit) {
      if (countSlice === null) throw new Error('count() was called before load() had resolved');
      return text.length < SHORTEST_REMEMBERED ? countSlice(text) : countLong(text, limit, countSlice);
    },
  };
}

/** The library is quadratic on a long run without a break, so no piece may be long. Each cut costs a token at most. */
async function sumOfSlices(text: string, limit: number, count: Count): Promise<number> {
  let sum = 0;
  let turnEnds = performance.now() + TURN_MS;
  for (let from = 0; from < text.length && sum <= limit; ) {
    let to = Math.min(text.length, from + SLICE_CHARACTERS);
    if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to -= 1;
    sum += count(text.slice(from, to));
    from = to;
    if (performance.now() < turnEnds) continue;
    await nextTurn();
    turnEnds = performance.now() + TURN_MS;
  }
  return sum;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Remembers counts of the latest texts, a conversation being counted again with each question. */
function createMemory() {
  const counts = new Map<string, number>();
  let characters = 0;
  return {
    recall: (text: string) => counts.get(text),
    remember(text: string, count: number): void {
      if (counts.has(text)) return;
      counts.set(text, count);
      characters += text.length;
      for (const oldest of counts.keys()) {
        if (characters <= REMEMBERED_CHARACTERS) break;
        counts.delete(oldest);
        characters -= oldest.length;
      }
    },
  };
}

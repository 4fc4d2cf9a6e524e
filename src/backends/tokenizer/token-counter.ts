import type { TokenCounter } from '../../core/ports/token-counter.ts';

const SLICE_CHARACTERS = 1000;
/** Texts shorter than this are counted faster than they are looked up. */
const SHORTEST_REMEMBERED = 200;
const REMEMBERED_CHARACTERS = 1_000_000;

type Count = (text: string) => number;

/** Counts with the vocabulary o200k_base, close enough for other models. Its 80 MB are loaded by the first `load()`. */
export function createTokenCounter(): TokenCounter {
  let loading: Promise<void> | null = null;
  let countSlice: Count | null = null;
  const memory = createMemory();

  async function loadVocabulary(): Promise<void> {
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
    const ordinary = { disallowedSpecial: new Set<string>() };
    countSlice = (text) => countTokens(text, ordinary);
  }

  return {
    load() {
      loading ??= loadVocabulary().catch((error: unknown) => {
        loading = null;
        throw error;
      });
      return loading;
    },
    count(text) {
      const count = countSlice;
      if (count === null) throw new Error('count() was called before load() had resolved');
      return text.length < SHORTEST_REMEMBERED ? count(text) : memory(text, () => sumOfSlices(text, count));
    },
  };
}

/** The library is quadratic on a long run without a break, so no piece may be long. Each cut costs a token at most. */
function sumOfSlices(text: string, count: Count): number {
  let sum = 0;
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + SLICE_CHARACTERS);
    if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to -= 1;
    sum += count(text.slice(from, to));
    from = to;
  }
  return sum;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Remembers counts of the latest texts, a conversation being counted again with each question. */
function createMemory(): (text: string, count: () => number) => number {
  const counts = new Map<string, number>();
  let characters = 0;
  return (text, count) => {
    const known = counts.get(text);
    if (known !== undefined) return known;
    const fresh = count();
    counts.set(text, fresh);
    characters += text.length;
    for (const oldest of counts.keys()) {
      if (characters <= REMEMBERED_CHARACTERS) break;
      counts.delete(oldest);
      characters -= oldest.length;
    }
    return fresh;
  };
}

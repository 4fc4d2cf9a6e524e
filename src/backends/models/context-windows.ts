/** Tokens that question and answer may take together when nothing is known of a model. */
const DEFAULT_WINDOW = 128_000;
/** Tokens kept free for an answer when nothing is known of a model. */
const DEFAULT_OUTPUT = 4096;
/** The part of a window that an answer may take away from the conversation. */
const LARGEST_SHARE = 1 / 4;

/** As the vendors publish them. */
const WINDOWS: Readonly<Record<string, number>> = {
  'gpt-3.5-turbo': 16_385,
  'gpt-4': 8_192,
  'gpt-4-32k': 32_768,
  'gpt-4.1': 1_047_576,
  'gpt-4.1-mini': 1_047_576,
  'gpt-4.1-nano': 1_047_576,
  'gpt-5': 400_000,
  'gpt-5-mini': 400_000,
  'gpt-5-nano': 400_000,
  o1: 200_000,
  o3: 200_000,
  'o3-mini': 200_000,
  'o4-mini': 200_000,
  'llama-3.3-70b-versatile': 131_072,
};

/** Whole families by how their names begin, window and longest answer in tokens; the first that fits counts. */
const FAMILIES: readonly (readonly [name: RegExp, window: number, output: number])[] = [
  [/^claude-3-haiku/, 200_000, 4096],
  [/^claude-3-(?:5|7)/, 200_000, 8192],
  [/^claude-opus-4-[678]/, 1_000_000, 128_000],
  [/^claude-sonnet-4-6/, 1_000_000, 128_000],
  [/^claude-opus-4-5/, 200_000, 64_000],
  [/^claude-opus-4/, 200_000, 32_000],
  [/^claude-(?:sonnet|haiku)-4/, 200_000, 64_000],
  [/^claude-[a-z]+-[5-9]/, 1_000_000, 128_000],
  [/^claude-/, 200_000, 4096],
  [/^gemini-(?:1|2\.0)/, 1_048_576, 8192],
  [/^gemini-/, 1_048_576, 65_536],
];

/** The context window of a model in tokens, by its provider's name with or without a vendor before and a date behind it. */
export function contextWindowOf(model: string): number {
  const bare = bareName(model).replace(/-(?:\d{4}-\d{2}-\d{2}|\d{4})$/, '');
  const known = Object.hasOwn(WINDOWS, bare) ? WINDOWS[bare] : familyOf(model)?.[1];
  return known ?? DEFAULT_WINDOW;
}

/** Tokens to keep free for an answer in a window of that many tokens: what the model can say at most, but never more than a quarter. */
export function outputLimitOf(model: string, window: number = contextWindowOf(model)): number {
  return Math.min(familyOf(model)?.[2] ?? DEFAULT_OUTPUT, Math.floor(window * LARGEST_SHARE));
}

function familyOf(model: string) {
  const bare = bareName(model);
  return FAMILIES.find(([name]) => name.test(bare));
}

function bareName(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1);
}

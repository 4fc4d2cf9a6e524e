/** Tokens that question and answer may take together when nothing is known of a model. */
const DEFAULT_WINDOW = 128_000;

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

/** The context window of a model in tokens, by its provider's name with or without a vendor before and a date behind it. */
export function contextWindowOf(model: string): number {
  const bare = model.slice(model.lastIndexOf('/') + 1).replace(/-(?:\d{4}-\d{2}-\d{2}|\d{4})$/, '');
  return (Object.hasOwn(WINDOWS, bare) ? WINDOWS[bare] : undefined) ?? DEFAULT_WINDOW;
}

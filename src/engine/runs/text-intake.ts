/** Turns a model's deltas into the text that enters the log. */
export interface TextIntake {
  /** The part of the text so far that no later delta can change. */
  push(delta: string): string;
  /** What still waited. */
  end(): string;
}

const REPLACEMENT = '\uFFFD';
const UNCLEAN = /[\r\0\ud800-\udfff]/;

function clean(text: string): string {
  if (!UNCLEAN.test(text)) return text;
  return text.replace(/\r\n?/g, '\n').replaceAll('\0', REPLACEMENT).toWellFormed();
}

function mayContinue(unit: number): boolean {
  return unit === 0x0d || (unit >= 0xd800 && unit <= 0xdbff);
}

/**
 * Makes every line ending `\n` and every NUL and lone surrogate U+FFFD. The result does not depend on where the deltas are cut: a trailing
 * `\r` or high surrogate waits for what follows it.
 */
export function createTextIntake(): TextIntake {
  let held = '';
  return {
    push: (delta) => {
      const text = held + delta;
      held = mayContinue(text.charCodeAt(text.length - 1)) ? text.slice(-1) : '';
      return clean(held === '' ? text : text.slice(0, -1));
    },
    end: () => {
      const rest = clean(held);
      held = '';
      return rest;
    },
  };
}

/** A whole text as it enters the log. */
export function cleanText(text: string): string {
  const intake = createTextIntake();
  return intake.push(text) + intake.end();
}

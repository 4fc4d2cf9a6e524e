/** What an answer of the bench's provider will be, written in the prompt. */
export interface Script {
  /** Stands in every token, so that text of another stream is noticed. */
  readonly id: string;
  readonly tokens: number;
  /** Between two writes; 0 for as fast as the socket takes them. */
  readonly delayMs: number;
  /** Tokens in one write. */
  readonly batch: number;
}

export function writePrompt({ id, tokens, delayMs, batch }: Script): string {
  return `bench ${id} tokens=${tokens} delay=${delayMs} batch=${batch}`;
}

/** Reads the last line: a door may put earlier turns before the question. */
export function parsePrompt(prompt: string): Script {
  const match = /(?:^|\n)bench (\w+) tokens=(\d+) delay=(\d+) batch=(\d+)$/.exec(prompt);
  if (!match) throw new Error(`No bench prompt: ${prompt.slice(0, 100)}`);
  return { id: String(match[1]), tokens: Number(match[2]), delayMs: Number(match[3]), batch: Number(match[4]) };
}

export function tokenOf({ id }: Script, at: number): string {
  return ` ${id}.${at}`;
}

/** The tokens from one place on, all of them unless told how many. */
export function textOf(script: Script, from = 0, count = script.tokens): string {
  let text = '';
  for (let at = from; at < Math.min(from + count, script.tokens); at += 1) text += tokenOf(script, at);
  return text;
}

/** Checks a text that comes in pieces of any size; `add` throws at the first that is lost, doubled, out of order or of another stream. */
export function createCheck(script: Script): { add(text: string): void; readonly complete: boolean } {
  const wanted = textOf(script);
  let at = 0;
  return {
    get complete() {
      return at === wanted.length;
    },
    add(text) {
      if (!wanted.startsWith(text, at)) {
        throw new Error(`Stream ${script.id}: "${wanted.slice(at, at + 40)}" should come, not "${text.slice(0, 40)}"`);
      }
      at += text.length;
    },
  };
}

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

export function parsePrompt(prompt: string): Script {
  const match = /^bench (\w+) tokens=(\d+) delay=(\d+) batch=(\d+)$/.exec(prompt);
  if (!match) throw new Error(`No bench prompt: ${prompt.slice(0, 100)}`);
  return { id: String(match[1]), tokens: Number(match[2]), delayMs: Number(match[3]), batch: Number(match[4]) };
}

export function tokenOf({ id }: Script, at: number): string {
  return ` ${id}.${at}`;
}

/** Checks a text that comes in pieces, token by token; throws at the first that is not the next one. */
export function createCheck(script: Script): { add(text: string): void; readonly tokens: number } {
  let tokens = 0;
  let rest = '';

  /** Where the next token ends in the text that has not been taken; -1 while it has not come whole. */
  function endOfNext(at: number): number {
    const token = tokenOf(script, tokens);
    if (tokens === script.tokens || !rest.startsWith(token, at)) return -1;
    const end = at + token.length;
    // What looks like a whole token may be the beginning of a longer one.
    return end === rest.length || rest[end] === ' ' ? end : -1;
  }

  return {
    get tokens() {
      return tokens;
    },
    add(text) {
      rest += text;
      let at = 0;
      for (let end = endOfNext(0); end >= 0; end = endOfNext(at)) {
        at = end;
        tokens += 1;
      }
      rest = rest.slice(at);
      const wanted = tokens < script.tokens ? tokenOf(script, tokens) : '';
      if (!wanted.startsWith(rest)) {
        throw new Error(`Stream ${script.id}: token ${tokens} should be "${wanted}", came "${rest.slice(0, 40)}"`);
      }
    },
  };
}

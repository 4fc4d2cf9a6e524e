import { type Script, textOf, tokenOf } from './script.ts';

// How the bench's provider writes a stream: the frames of OpenAI's chat completions, ASCII only.

const FRAME_START = 'data: {"id":"bench","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"';
const FRAME_END = '"},"finish_reason":null}]}';
/** The frames behind the last token. */
export const LAST_FRAMES =
  'data: {"id":"bench","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

/** The frames of one write, which begins at a token. */
export function framesOf(script: Script, from: number): string {
  let frames = '';
  for (let at = from; at < Math.min(from + script.batch, script.tokens); at += 1) {
    frames += `${FRAME_START}${tokenOf(script, at)}${FRAME_END}\n\n`;
  }
  return frames;
}

/** Checks a stream that should be what the provider writes; tells the tokens that a piece completes, `end` throws when something is missing. */
export function createFramesCheck(script: Script, onText: (text: string) => void): { add(piece: string): void; end(): void } {
  let wanted = '';
  const ends: number[] = [];
  for (let token = 0; token < script.tokens; token += 1) {
    wanted += framesOf({ ...script, batch: 1 }, token);
    ends.push(wanted.length);
  }
  wanted += LAST_FRAMES;
  let at = 0;
  let tokens = 0;
  return {
    add(piece) {
      if (!wanted.startsWith(piece, at))
        throw new Error(`Stream ${script.id}: "${wanted.slice(at, at + 150)}" should come, not "${piece}"`);
      at += piece.length;
      const from = tokens;
      while (at >= (ends[tokens] ?? Number.POSITIVE_INFINITY)) tokens += 1;
      onText(textOf(script, from, tokens - from));
    },
    end() {
      if (at < wanted.length) throw new Error(`Stream ${script.id}: "${wanted.slice(at, at + 150)}" did not come`);
    },
  };
}

import type { ChunkSink, ModelChunk } from '../../../core/ports/model-provider.ts';
import { tooLong } from './failures.ts';

/** Hands chunks to the sink, counts them and gathers what it asks to wait for. */
export interface Outlet {
  /** Counts characters. Throws `upstream_too_long` when there are too many by now. */
  measure(more: number): void;
  hand(chunk: ModelChunk): void;
  /** Counts a text, if there is any, and gathers it with its neighbours: what one read brought is one chunk. */
  handText(type: 'text' | 'reasoning', text: string): void;
  /** Hands over the text that was gathered. */
  release(): void;
  /** Releases, and gives what the sink asked to wait for since the last call; null when nothing. */
  held(): Promise<unknown> | null;
  /** True once the sink has got a chunk. */
  hasDelivered(): boolean;
}

/** An outlet for one answer of at most `maxCharacters` UTF-16 code units of text, reasoning and tool arguments together. */
export function createOutlet(sink: ChunkSink, maxCharacters: number): Outlet {
  let waiting: Promise<void>[] = [];
  let characters = 0;
  let delivered = false;
  let gathered: { readonly type: 'text' | 'reasoning'; text: string } | null = null;

  function measure(more: number): void {
    characters += more;
    if (characters > maxCharacters) throw tooLong();
  }

  function give(chunk: ModelChunk): void {
    delivered = true;
    const pause = sink(chunk);
    if (pause instanceof Promise) waiting.push(pause);
  }

  function release(): void {
    const text = gathered;
    gathered = null;
    if (text) give(text);
  }

  return {
    measure,
    hand(chunk) {
      release();
      give(chunk);
    },
    handText(type, text) {
      if (text === '') return;
      measure(text.length);
      if (gathered?.type === type) {
        gathered.text += text;
        return;
      }
      release();
      gathered = { type, text };
    },
    release,
    held() {
      release();
      if (waiting.length === 0) return null;
      const all = Promise.all(waiting);
      waiting = [];
      return all;
    },
    hasDelivered: () => delivered,
  };
}

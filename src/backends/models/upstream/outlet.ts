import type { ChunkSink, ModelChunk } from '../../../core/ports/model-provider.ts';
import { tooLong } from './failures.ts';

/** Hands an answer's chunks to the sink, counts them and gathers what it asks to wait for. One object with functions beside it: there is one for every stream. */
export interface Outlet {
  readonly sink: ChunkSink;
  /** UTF-16 code units of text, reasoning and tool arguments together. */
  readonly maxCharacters: number;
  /** Whether a source that has paused brings all that came meanwhile as one chunk. */
  gathers: boolean;
  characters: number;
  /** True once the sink has got a chunk. */
  hasDelivered: boolean;
  gathered: { readonly type: 'text' | 'reasoning'; text: string; readonly gathers: boolean } | null;
  waiting: Promise<unknown> | null;
}

/** An outlet for one answer. */
export function createOutlet(sink: ChunkSink, maxCharacters: number): Outlet {
  return { sink, maxCharacters, gathers: false, characters: 0, hasDelivered: false, gathered: null, waiting: null };
}

/** Counts characters. Throws `upstream_too_long` when there are too many by now. */
export function measure(outlet: Outlet, more: number): void {
  outlet.characters += more;
  if (outlet.characters > outlet.maxCharacters) throw tooLong();
}

export function hand(outlet: Outlet, chunk: ModelChunk): void {
  release(outlet);
  give(outlet, chunk);
}

/** Counts a text, if there is any, and gathers it with its neighbours: what one read brought is one chunk. */
export function handText(outlet: Outlet, type: 'text' | 'reasoning', text: string): void {
  if (text === '') return;
  measure(outlet, text.length);
  if (outlet.gathered?.type === type) {
    outlet.gathered.text += text;
    return;
  }
  release(outlet);
  outlet.gathered = { type, text, gathers: outlet.gathers };
}

/** Hands over the text that was gathered. */
export function release(outlet: Outlet): void {
  const text = outlet.gathered;
  if (text === null) return;
  outlet.gathered = null;
  give(outlet, text);
}

/** Releases, and gives what the sink asked to wait for since the last call; null when nothing. */
export function held(outlet: Outlet): Promise<unknown> | null {
  release(outlet);
  const { waiting } = outlet;
  outlet.waiting = null;
  return waiting;
}

function give(outlet: Outlet, chunk: ModelChunk): void {
  outlet.hasDelivered = true;
  const pause = outlet.sink(chunk);
  if (!(pause instanceof Promise)) return;
  outlet.waiting = outlet.waiting === null ? pause : Promise.all([outlet.waiting, pause]);
}

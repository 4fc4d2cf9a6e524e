import { answerParent } from './companion.ts';
import type { Place } from './exchange.ts';
import { beginRun, followRun } from './protocols.ts';
import { createRecorder, type LoadResult } from './recorder.ts';
import { type Script, writePrompt } from './script.ts';

// Many readers of one run, each of which checks every token.

/** What to read. */
export interface FanOut {
  readonly place: Place;
  readonly readers: number;
  readonly script: Script;
}

async function run({ place, script, readers }: FanOut): Promise<LoadResult> {
  const recorder = createRecorder();
  const id = await beginRun(place, writePrompt(script));
  await Promise.all(Array.from({ length: readers }, () => recorder.read(script, (onText) => followRun(place, id, onText))));
  return recorder.result();
}

answerParent(run);

import { randomInt } from 'node:crypto';
import { answerParent } from './companion.ts';
import type { Place } from './exchange.ts';
import { type Protocol, protocols } from './protocols.ts';
import { createRecorder, type LoadResult } from './recorder.ts';
import { writePrompt } from './script.ts';

// The load generator, a process of its own: it reads as a client does and checks every token, so that fast and wrong is not a result.

/** What is asked for. */
export interface Shape {
  /** Streams at a time. */
  readonly streams: number;
  /** Questions of each, one after the other. */
  readonly questions: number;
  readonly tokens: number;
  readonly delayMs: number;
  readonly batch: number;
  /** The streams begin spread over this time. */
  readonly spreadMs: number;
}

export interface Load extends Shape {
  readonly place: Place;
  readonly protocol: Protocol;
}

async function run(load: Load): Promise<LoadResult> {
  const ask = protocols[load.protocol];
  const recorder = createRecorder();
  // So that what an earlier load left behind is noticed too.
  const mark = randomInt(36, 36 ** 2).toString(36);

  async function stream(at: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, (at / load.streams) * load.spreadMs));
    for (let round = 0; round < load.questions; round += 1) {
      const script = { id: `${mark}s${at}q${round}`, tokens: load.tokens, delayMs: load.delayMs, batch: load.batch };
      await recorder.read(script, (onText) => ask(load.place, writePrompt(script), onText));
    }
  }

  await Promise.all(Array.from({ length: load.streams }, (_, at) => stream(at)));
  return recorder.result();
}

answerParent(run);

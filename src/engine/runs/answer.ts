import { createAnswerParts } from '../../core/answer-parts.ts';
import type { SourcePassage } from '../../core/attachment.ts';
import { type Part, textOf } from '../../core/message.ts';
import { namedPassages } from '../context/files/labels.ts';
import type { LiveRun } from './live-run.ts';

/** What a run has answered so far, stored or not, with the passages that it was found to name. */
export function partsOf({ log, flushing, pending, citations }: LiveRun): readonly Part[] {
  const answered = createAnswerParts();
  for (const entry of log) {
    if (typeof entry === 'string') answered.addText(entry);
    else answered.add(entry);
  }
  for (const event of flushing?.events ?? []) answered.add(event);
  for (const event of pending?.events ?? []) answered.add(event);
  return [...answered.parts, ...citations];
}

/** Adds which of these passages a run's answer names; call when all of its text is there. */
export function cite(live: LiveRun, passages: readonly SourcePassage[]): void {
  if (passages.length === 0) return;
  const named = namedPassages(textOf(partsOf(live)), passages);
  live.citations = named.map(({ fileId, name, page }) => ({ type: 'citation', file_id: fileId, name, page }));
}

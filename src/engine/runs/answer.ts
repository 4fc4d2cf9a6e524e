import { createAnswerParts } from '../../core/answer-parts.ts';
import type { SourcePassage } from '../../core/attachment.ts';
import { type Part, textOf } from '../../core/message.ts';
import type { RunFact } from '../../core/run-event.ts';
import { namedPassages } from '../context/files/labels.ts';

/** Collects a run's facts into the parts of its answer. */
export interface Answer {
  add(fact: RunFact): void;
  /** Adds which of these passages the answer names; call when all of its text is there. */
  cite(passages: readonly SourcePassage[]): void;
  parts(): readonly Part[];
  /** UTF-16 code units of visible text so far: the `at` of the next piece. */
  readonly length: number;
}

export function createAnswer(): Answer {
  const answered = createAnswerParts();
  const citations: Part[] = [];
  return {
    get length() {
      return answered.length;
    },
    parts: () => [...answered.parts, ...citations],
    cite(passages) {
      if (passages.length === 0) return;
      const named = namedPassages(textOf(answered.parts), passages);
      citations.push(...named.map(({ fileId, name, page }) => ({ type: 'citation', file_id: fileId, name, page }) as const));
    },
    add: answered.add,
  };
}

import type { SourcePassage } from '../../core/attachment.ts';
import { type Part, textOf } from '../../core/message.ts';
import type { RunFact } from '../../core/run-event.ts';
import { namedPassages } from '../context/files/labels.ts';

type TextPart = { type: 'text' | 'reasoning'; text: string };

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
  const parts: (Part | TextPart)[] = [];
  let length = 0;

  function extend(type: TextPart['type'], text: string): void {
    const last = parts.at(-1);
    if (last?.type === type) (last as TextPart).text += text;
    else parts.push({ type, text });
  }

  return {
    get length() {
      return length;
    },
    parts: () => parts,
    cite(passages) {
      if (passages.length === 0) return;
      const named = namedPassages(textOf(parts), passages);
      parts.push(...named.map(({ fileId, name, page }) => ({ type: 'citation', file_id: fileId, name, page }) as const));
    },
    add(fact) {
      switch (fact.type) {
        case 'text.appended':
          length += fact.text.length;
          return extend('text', fact.text);
        case 'reasoning.appended':
          return extend('reasoning', fact.text);
        case 'tool.called':
          parts.push({ type: 'tool_call', call_id: fact.call_id, name: fact.name, arguments: fact.arguments });
          return;
        case 'tool.returned':
          parts.push({ type: 'tool_result', call_id: fact.call_id, name: fact.name, status: fact.status, result: fact.result });
          return;
        case 'run.started':
        case 'run.restarted':
        case 'node.entered':
        case 'approval.requested':
        case 'usage.recorded':
        case 'run.completed':
        case 'run.failed':
        case 'run.cancelled':
          return;
      }
    },
  };
}

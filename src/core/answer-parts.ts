import type { Part } from './message.ts';
import type { RunFact } from './run-event.ts';

type TextPart = { type: 'text' | 'reasoning'; text: string };

/** What a run's facts, in their order, make of its answer. */
export interface AnswerParts {
  add(fact: RunFact): void;
  /** Adds a piece of visible text. */
  addText(text: string): void;
  readonly parts: readonly Part[];
}

/** No parts yet. */
export function createAnswerParts(): AnswerParts {
  const parts: (Part | TextPart)[] = [];

  function extend(type: TextPart['type'], text: string): void {
    const last = parts.at(-1);
    if (last?.type === type) (last as TextPart).text += text;
    else parts.push({ type, text });
  }

  return {
    parts,
    addText: (text) => extend('text', text),
    add(fact) {
      switch (fact.type) {
        case 'text.appended':
          return extend('text', fact.text);
        case 'reasoning.appended':
          return extend('reasoning', fact.text);
        case 'tool.called':
          parts.push(callPart(fact));
          return;
        case 'tool.returned':
          parts.push(resultPart(fact));
          return;
        case 'run.started':
        case 'run.restarted':
        case 'node.entered':
        case 'approval.requested':
        case 'approval.decided':
        case 'usage.recorded':
        case 'run.completed':
        case 'run.failed':
        case 'run.cancelled':
          return;
      }
    },
  };
}

function callPart({ call_id, name, arguments: args, called_at }: Extract<RunFact, { type: 'tool.called' }>): Part {
  return { type: 'tool_call', call_id, name, arguments: args, called_at };
}

function resultPart({ call_id, name, status, result, returned_at }: Extract<RunFact, { type: 'tool.returned' }>): Part {
  return { type: 'tool_result', call_id, name, status, result, returned_at };
}

import { randomUUID } from 'node:crypto';
import type { ModelChunk } from '../../../core/ports/model-provider.ts';
import { malformed, tooLong } from '../upstream/failures.ts';
import { elementsOf, fieldsOf, stringOf } from '../upstream/json-fields.ts';

const MAX_CALLS = 128;

type ToolCallChunk = Extract<ModelChunk, { type: 'tool_call' }>;

interface Collecting {
  id: string;
  name: string;
  arguments: string;
}

/** Puts tool calls together from their pieces. */
export interface ToolCalls {
  /** Takes a delta's `tool_calls`; returns how many characters of arguments came. */
  add(deltas: unknown): number;
  /** The whole calls in the order of their index. Throws `upstream_malformed` for one without a name. */
  whole(): readonly ToolCallChunk[];
}

/** A collector for one answer. A server that leaves `index` out starts a new call with each new id. */
export function createToolCalls(): ToolCalls {
  const calls = new Map<number, Collecting>();
  let last = -1;

  function slot(index: unknown, id: string): Collecting {
    if (typeof index === 'number') last = index;
    else if (last === -1 || (id !== '' && calls.get(last)?.id !== id)) last += 1;
    const known = calls.get(last);
    if (known !== undefined) return known;
    if (calls.size >= MAX_CALLS) throw tooLong();
    const fresh = { id: '', name: '', arguments: '' };
    calls.set(last, fresh);
    return fresh;
  }

  return {
    add(deltas) {
      let characters = 0;
      for (const delta of elementsOf(deltas)) {
        const fields = fieldsOf(delta);
        const fn = fieldsOf(fields.function);
        const id = stringOf(fields.id);
        const call = slot(fields.index, id);
        const name = stringOf(fn.name);
        const piece = argumentsOf(fn.arguments);
        if (call.id === '') call.id = id;
        // Some servers repeat the whole name in every delta, none splits it.
        if (call.name === '') call.name = name;
        call.arguments += piece;
        characters += piece.length + name.length + id.length;
      }
      return characters;
    },
    whole() {
      const ordered = [...calls].sort(([left], [right]) => left - right);
      return ordered.map(([, call]) => {
        if (call.name === '') throw malformed(new Error('tool call without a name'));
        return { type: 'tool_call', call_id: call.id || `call_${randomUUID()}`, name: call.name, arguments: call.arguments };
      });
    },
  };
}

/** Ollama-like servers send the arguments as an object instead of its JSON text. */
function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : '';
}

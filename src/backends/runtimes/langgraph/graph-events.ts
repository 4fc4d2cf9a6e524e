import { AIMessage, isBaseMessage } from '@langchain/core/messages';
import type { Narrator } from '../narrator.ts';
import { stepOf } from './step.ts';

/** Follows what a graph tells of itself while it runs. */
export interface GraphEvents {
  /** Takes one part of the graph's stream: namespace, mode, payload. */
  take(part: unknown): void;
  /** The node that an error comes from, as far as LangGraph has noted that. */
  nodeOf(error: unknown): string | null;
}

export function createGraphEvents(narrator: Narrator): GraphEvents {
  const nodes = new Map<string, string>();

  function takeTask(payload: unknown): void {
    if (!isTask(payload) || 'result' in payload || 'error' in payload) return;
    nodes.set(payload.id, payload.name);
    narrator.enter(payload.id, payload.name);
  }

  /** A node says something by its writer: a string, or an object with a text. */
  function takeCustom(payload: unknown): void {
    const text = typeof payload === 'string' ? payload : textIn(payload);
    if (text !== null) void narrator.say(text, { step: null, message: null });
  }

  /** Messages that nodes return, and pieces of what models say that are not the run's own. */
  function takeMessage(payload: unknown): void {
    const [message, metadata]: readonly unknown[] = Array.isArray(payload) ? payload : [];
    if (!isBaseMessage(message) || message.getType() !== 'ai') return;
    const id = message.id ?? null;
    const whole = AIMessage.isInstance(message) && !('concat' in message);
    if (id !== null && whole && narrator.knows(id)) return;
    void narrator.say(message.text, { step: stepOf({ metadata: fieldsOf(metadata) }), message: id });
  }

  return {
    take(part) {
      if (!Array.isArray(part)) return;
      const [, mode, payload]: readonly unknown[] = part;
      if (mode === 'tasks') takeTask(payload);
      if (mode === 'custom') takeCustom(payload);
      if (mode === 'messages') takeMessage(payload);
    },
    nodeOf(error) {
      const task: unknown = typeof error === 'object' && error !== null && 'pregelTaskId' in error ? error.pregelTaskId : null;
      return typeof task === 'string' ? (nodes.get(task) ?? null) : null;
    },
  };
}

function isTask(value: unknown): value is { readonly id: string; readonly name: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string' &&
    'name' in value &&
    typeof value.name === 'string'
  );
}

function textIn(value: unknown): string | null {
  return typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string' ? value.text : null;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

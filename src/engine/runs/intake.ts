import type { Part } from '../../core/message.ts';
import type { AgentChunk } from '../../core/ports/agent-runtime.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { ModelChunk } from '../../core/ports/model-provider.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { RunFact } from '../../core/run-event.ts';
import type { DeskLog } from '../agents/desk.ts';
import { partsOf } from './answer.ts';
import type { LiveRun } from './live-run.ts';
import type { LogWriter } from './log-writer.ts';
import type { TextPiece } from './pending.ts';
import { cleanText, createTextIntake } from './text-intake.ts';

const MAX_NAME = 255;

interface IntakePorts {
  readonly writer: LogWriter;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly limits: { readonly answerChars: number };
}

/** Turns what answers a run into facts of its log: clean text, first text urgent where somebody reads along, bounded in all. */
export interface Intake {
  take(chunk: ModelChunk | AgentChunk): void | Promise<void>;
  /** Takes facts that are no text, behind all text that came before them. */
  readonly log: DeskLog;
  /** Hands over what still waits for the text behind it. */
  finish(): Promise<void>;
}

/** `startedAt` is when the execution began, by the clock's `elapsed`. */
export function createIntake({ writer, observer, clock, limits }: IntakePorts, live: LiveRun, startedAt: number): Intake {
  const { id, snapshot } = live.run;
  const text = createTextIntake();
  const reasoning = createTextIntake();
  let first = true;
  let size = live.textLength + sizeOfCalls(partsOf(live));

  function append(fact: RunFact): void | Promise<void> {
    const wait = writer.append(live, fact);
    if (fact.type === 'tool.called') size += fact.arguments.length + fact.name.length;
    if (size > limits.answerChars) live.stop('answer_too_long');
    return wait;
  }

  function appendText(type: TextPiece['type'], clean: string, gathers = false): void | Promise<void> {
    if (clean === '' || live.stopReason !== null) return undefined;
    size += clean.length;
    if (size > limits.answerChars) return live.stop('answer_too_long');
    const isFirst = first && type === 'text.appended';
    if (isFirst) tellFirst();
    return writer.appendText(live, { type, text: clean, gathers }, isFirst && live.listeners.length > 0 ? 'urgent' : 'window');
  }

  function tellFirst(): void {
    first = false;
    observer.firstToken({ id, model: snapshot.model, sinceStartMs: Math.round(clock.elapsed() - startedAt) });
  }

  /** A model that was offered no tools may call some all the same: none of them exists. */
  function appendToolCall(chunk: Extract<ModelChunk, { type: 'tool_call' }>): void | Promise<void> {
    if (live.signal.aborted) return undefined;
    const call = { call_id: cleanText(chunk.call_id), name: cleanText(chunk.name) };
    const time = new Date(clock.now()).toISOString();
    void append({ type: 'tool.called', ...call, arguments: cleanText(chunk.arguments), called_at: time });
    const result = `There is no tool named ${call.name}`;
    return append({ type: 'tool.returned', ...call, status: 'failed', result, returned_at: time });
  }

  function appendHeld(): void {
    void appendText('reasoning.appended', reasoning.end());
    void appendText('text.appended', text.end());
  }

  return {
    take(chunk) {
      switch (chunk.type) {
        case 'node':
          appendHeld();
          return live.signal.aborted ? undefined : append({ type: 'node.entered', name: cleanText(chunk.name).slice(0, MAX_NAME) });
        case 'text':
          return appendText('text.appended', text.push(chunk.text), chunk.gathers);
        case 'reasoning':
          return appendText('reasoning.appended', reasoning.push(chunk.text), chunk.gathers);
        case 'tool_call':
          return appendToolCall(chunk);
      }
    },
    log: {
      append(fact) {
        appendHeld();
        return append(fact);
      },
      stored: () => writer.stored(live),
    },
    async finish() {
      await appendText('reasoning.appended', reasoning.end());
      await appendText('text.appended', text.end());
    },
  };
}

/** What a model wrote to call tools: its answer, too. */
function sizeOfCalls(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => (part.type === 'tool_call' ? sum + part.arguments.length + part.name.length : sum), 0);
}

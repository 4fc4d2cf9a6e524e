import type { Usage } from '../../core/message.ts';
import type { AgentTask } from '../../core/ports/agent-runtime.ts';
import { createEcho } from './echo.ts';

/** What a narrator remembers from one attempt to the next. */
export interface Told {
  /** UTF-16 code units of the answer in the log, all from steps that have ended. */
  readonly length: number;
  /** Ids of the messages that the answer holds. */
  readonly messages: readonly string[];
  readonly usage: Usage | null;
}

/** Where a text comes from. */
export interface Origin {
  /** The step, unique in an attempt, and the node's name; null for what no node says. */
  readonly step: { readonly id: string; readonly node: string } | null;
  /** The message that it is part of: texts of different messages are kept apart by a blank line. Null: goes on where the answer ends. */
  readonly message: string | null;
}

/** Puts what the steps of an agent say into one answer: each step announced before its text, nothing told twice, nothing after the end. */
export interface Narrator {
  enter(id: string, node: string): void;
  /** A step that an attempt before has ended is not entered again. */
  pass(id: string): void;
  /** A returned promise asks to pause. */
  say(text: string, origin: Origin): void | Promise<void>;
  think(text: string): void | Promise<void>;
  /** Whether the answer holds that message, or is not to hold it. */
  knows(message: string): boolean;
  /** Makes `knows` true. */
  skip(message: string): void;
  spend(usage: Usage | null): void;
  readonly usage: Usage | null;
  /** What to remember when all steps that were under way have ended. */
  told(): Told;
  /** What to remember when one has, and others are still under way. */
  toldMeanwhile(): Told;
  /** Everything said from now on is dropped. */
  end(): void;
}

type NarratorTask = Pick<AgentTask, 'emit' | 'before' | 'signal'>;

const BETWEEN_MESSAGES = '\n\n';

/** `told` is what the attempt before remembered last. */
export function createNarrator({ emit, before, signal }: NarratorTask, told: Told | null): Narrator {
  const seen = before.map((fact) => (fact.type === 'text.appended' ? fact.text : '')).join('');
  const messages = new Set(told?.messages);
  const entered = new Set<string>();
  const lineEndings = createLineEndings();
  let echo = createEcho(seen.slice(told?.length ?? 0));
  /** Of the answer in the log, and as far as the steps of this attempt have said it again. */
  let length = seen.length;
  let said = told?.length ?? 0;
  let lengthOfEnded = said;
  let usage = told?.usage ?? null;
  let speaking: string | null = null;
  let ended = false;

  function enter(id: string, node: string): void {
    if (ended || signal.aborted || entered.has(id)) return;
    entered.add(id);
    void emit({ type: 'node', name: node });
  }

  return {
    enter,
    pass: (id) => void entered.add(id),
    say(text, { step, message }) {
      if (ended || signal.aborted || text === '') return undefined;
      if (step) enter(step.id, step.node);
      const apart = message !== null && message !== speaking && said > 0;
      if (message !== null) messages.add(message);
      speaking = message ?? speaking;
      const clean = (apart ? BETWEEN_MESSAGES : '') + lineEndings(text);
      said += clean.length;
      const unseen = echo.hear(clean);
      length += unseen.length;
      return unseen === '' ? undefined : emit({ type: 'text', text: unseen });
    },
    think(text) {
      return ended || signal.aborted ? undefined : emit({ type: 'reasoning', text });
    },
    knows: (message) => messages.has(message),
    skip: (message) => void messages.add(message),
    spend(more) {
      if (more === null) return;
      const { input_tokens = 0, output_tokens = 0 } = usage ?? {};
      usage = { input_tokens: input_tokens + more.input_tokens, output_tokens: output_tokens + more.output_tokens };
    },
    get usage() {
      return usage;
    },
    told() {
      echo = createEcho('');
      said = length;
      lengthOfEnded = length;
      return { length, messages: [...messages], usage };
    },
    toldMeanwhile: () => ({ length: lengthOfEnded, messages: [...messages], usage }),
    end() {
      ended = true;
    },
  };
}

/** Line endings as the log has them, also where a piece ends between `\r` and `\n`, so that lengths are the log's. */
function createLineEndings(): (text: string) => string {
  let cut = false;
  return (text) => {
    const rest = cut && text.startsWith('\n') ? text.slice(1) : text;
    cut = text.endsWith('\r');
    return rest.replace(/\r\n?/g, '\n');
  };
}

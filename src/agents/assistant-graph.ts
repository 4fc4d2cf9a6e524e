import { textOf } from '../core/message.ts';
import type { Agent, AgentTask } from '../core/ports/agent.ts';
import type { ModelEnd, ModelRequest } from '../core/ports/model-provider.ts';

/** What a node decides: where to go next, or the end of the answer. */
type Step = { readonly next: NodeName } | { readonly end: ModelEnd };
type Node = (task: AgentTask) => Promise<Step>;
type NodeName = 'classify' | 'small_talk' | 'answer';

const GREETINGS = new Set('hello hi hey hallo salam salut bonjour hola ciao merhaba olá ahoj cześć привет 你好 こんにちは'.split(' '));
const MAX_GREETING_WORDS = 3;
const GREET_BACK = 'The user only greets you. Greet back in one friendly sentence, in the same language, and ask how you can help.';

const nodes: Readonly<Record<NodeName, Node>> = {
  async classify({ request }) {
    return { next: isGreeting(questionIn(request)) ? 'small_talk' : 'answer' };
  },
  async small_talk({ request, provider, emit, signal }) {
    return { end: await provider.stream(withInstruction(request, GREET_BACK), emit, signal) };
  },
  async answer({ request, provider, emit, signal }) {
    return { end: await provider.stream(request, emit, signal) };
  },
};

/** The graph that comes with the server: it tells greetings from questions, and lets the model answer either in a node of its own. */
export const assistantGraph: Agent = {
  name: 'assistant-graph',
  description: 'Tells greetings from questions and answers each in a node of its own.',
  nodes: Object.keys(nodes),
  async run(task) {
    let node: NodeName = 'classify';
    while (true) {
      task.signal.throwIfAborted();
      await task.emit({ type: 'node', name: node });
      const step: Step = await nodes[node](task);
      if ('end' in step) return step.end;
      node = step.next;
    }
  },
};

function questionIn({ messages }: ModelRequest): string {
  return textOf(messages.findLast(({ role }) => role === 'user')?.parts ?? []);
}

function isGreeting(text: string): boolean {
  const words = text.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? [];
  return words.length > 0 && words.length <= MAX_GREETING_WORDS && GREETINGS.has(words[0] ?? '') && !/[?？]/.test(text);
}

/** A request has at most one system message, and it comes first. */
function withInstruction(request: ModelRequest, instruction: string): ModelRequest {
  const [first, ...rest] = request.messages;
  const given = first?.role === 'system' ? `${textOf(first.parts)}\n\n` : '';
  const others = first?.role === 'system' ? rest : request.messages;
  return { ...request, messages: [{ role: 'system', parts: [{ type: 'text', text: given + instruction }] }, ...others] };
}

import { textOf } from '../../../core/message.ts';
import type { ModelRequest } from '../../../core/ports/model-provider.ts';
import { quote } from './quote.ts';

const QUOTE_CHARACTERS = 200;
const MAX_WORDS = 20_000;

/**
 * What the demo model says: what it is, what was asked, what the user's files say about it, and how to get a real model. `/long N` in the
 * question asks for N numbered words.
 */
export function demoAnswer({ messages, passages: [best] = [] }: Pick<ModelRequest, 'messages' | 'passages'>): string {
  const questions = messages.filter(({ role }) => role === 'user');
  const question = textOf(questions.at(-1)?.parts ?? []);
  const introduction = "I am Polylogue's built-in demo model, not a language model.";
  const words = Number(/(?:^|\s)\/long\s+(\d{1,9})(?!\S)/.exec(question)?.[1] ?? 0);
  if (words > 0) return `${introduction} Here are the words you asked for:\n\n${numberedWords(Math.min(words, MAX_WORDS))}`;
  return [
    `${introduction} This is message ${questions.length} of our conversation, and you wrote:`,
    `> ${shorten(question)}`,
    ...(best ? [`Of your files, this passage matches best, found by its words:`, `> ${quote(best.text, question)} [${best.label}]`] : []),
    'For real answers, set OPENAI_API_KEY, ANTHROPIC_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY, or OPENAI_BASE_URL for another provider, and start the server again.',
  ].join('\n\n');
}

function numberedWords(count: number): string {
  return Array.from({ length: count }, (_, index) => `word-${index + 1}`).join(' ');
}

function shorten(question: string): string {
  const line = question
    .slice(0, QUOTE_CHARACTERS * 2)
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= QUOTE_CHARACTERS && question.length <= QUOTE_CHARACTERS * 2) return line;
  const cut = line.slice(0, QUOTE_CHARACTERS);
  // The cut may have halved a surrogate pair.
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}

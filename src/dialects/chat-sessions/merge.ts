import { type Message, textOf } from '../../core/message.ts';
import type { IncomingMessage } from '../../engine/index.ts';

type Turn = Pick<IncomingMessage, 'role' | 'parts'>;

/** Control characters count as white space: some of them do for Python's `str.strip`. */
const WHITE_SPACE = /[\s\p{Cc}]+/gu;

/** A user's text with white space collapsed; an answer's without any, because clients that strip lines have lost some of it. */
function comparable({ role, parts }: Turn): string {
  const text = textOf(parts);
  return `${role} ${role === 'user' ? text.replace(WHITE_SPACE, ' ').trim() : text.replace(WHITE_SPACE, '')}`;
}

/** Whether a stored message takes part in the comparison: failed, cancelled and empty answers do not. */
export function counts(message: Pick<Message, 'role' | 'status' | 'parts'>): boolean {
  return message.role === 'user' || (message.status === 'completed' && comparable(message) !== 'assistant ');
}

/**
 * What of a request's turns is new: the rest when the stored messages are a prefix of them, else all. `stored` is in order and holds only
 * messages that count.
 */
export function newTurns(stored: readonly Turn[], requested: readonly IncomingMessage[]): readonly IncomingMessage[] {
  const wanted = stored.map(comparable);
  let matched = 0;
  let at = 0;
  for (; at < requested.length && matched < wanted.length; at += 1) {
    const turn = requested[at];
    const text = turn ? comparable(turn) : '';
    if (text === 'assistant ') continue;
    if (text !== wanted[matched]) return requested;
    matched += 1;
  }
  return matched < wanted.length ? requested : requested.slice(at);
}

import { AppError } from '../../core/errors.ts';
import { parseUuid, type ThreadId } from '../../core/ids.ts';
import { type Static, Type } from '../../core/schema.ts';
import { isWhiteSpace } from '../../http/raw-text.ts';

const nullable = { nullable: true } as const;

/** Body of POST `/chat`. Lengths count code points. */
export const ChatBody = Type.Object({
  message: Type.Object({
    content: Type.String({ minLength: 1, maxLength: 10_000 }),
    role: Type.Optional(Type.Enum(['user'])),
  }),
  conversation_id: Type.Optional(Type.Unsafe<string | null>(Type.String(nullable))),
});
export type ChatBody = Static<typeof ChatBody>;

/** Body of POST `/conversations`. */
export const CreateConversationBody = Type.Object({
  title: Type.Optional(Type.Unsafe<string | null>(Type.String({ minLength: 1, maxLength: 255, ...nullable }))),
});
export type CreateConversationBody = Static<typeof CreateConversationBody>;

/** Refuses a text of nothing but white space. */
export function checkContent(content: string): void {
  for (let at = 0; at < content.length; at += 1) if (!isWhiteSpace(content.charCodeAt(at))) return;
  const message = 'must not be only white space';
  throw new AppError('validation_failed', `message.content ${message}.`, {
    fields: [{ path: ['message', 'content'], message, keyword: 'blank' }],
  });
}

/** The conversation that body and query name, null when both leave it open (an empty text does); `request_invalid` when they differ. */
export function readConversationId(inBody: string | null | undefined, inQuery: string | null): ThreadId | null {
  if (inBody && inQuery && inBody !== inQuery) {
    throw new AppError('request_invalid', 'conversation_id in the body and in the query differ; send one.');
  }
  const text = inBody || inQuery;
  return text ? toConversationId(text) : null;
}

/** What is no id is a conversation that does not exist. */
export function toConversationId(text: string | undefined): ThreadId {
  const id = parseUuid<ThreadId>(text);
  if (!id) throw new AppError('thread_not_found', 'There is no such conversation.');
  return id;
}

import type { MessageId } from '../../../core/ids.ts';
import type { Message, Part } from '../../../core/message.ts';
import { textOf } from '../../../core/message.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { toMessage } from './rows.ts';
import type { MessagesTable } from './schema.ts';
import { addToSearch } from './search-index.ts';
import type { Session } from './session.ts';

type Columns = Omit<MessagesTable, 'tokens'>;

const valuesOf = (param: Param<Columns>): Columns => ({
  id: param('id'),
  thread_key: param('thread_key'),
  seq: param('seq'),
  parent_id: param('parent_id'),
  role: param('role'),
  status: param('status'),
  parts: param('parts'),
  run_id: param('run_id'),
  model: param('model'),
  usage: param('usage'),
  created_at: param('created_at'),
});

const add = prepared((db, param: Param<Columns>) => db.insertInto('messages').values(valuesOf(param)));

const byOwner = prepared((db, param: Param<{ application: string; user: string; id: string }>) =>
  db
    .selectFrom('messages')
    .innerJoin('threads', 'threads.key', 'messages.thread_key')
    .innerJoin('users', 'users.id', 'threads.user_id')
    .where('messages.id', '=', param('id'))
    .where('threads.deleted_at', 'is', null)
    .where('users.application_id', '=', param('application'))
    .where('users.external_id', '=', param('user'))
    .selectAll('messages')
    .select('threads.id as thread_id'),
);

const stored = prepared((db, param: Param<{ thread: string; id: string }>) =>
  db.selectFrom('messages').select(['role', 'parent_id']).where('id', '=', param('id')).where('thread_key', '=', param('thread')),
);

const promised = prepared((db, param: Param<{ thread: string; id: string }>) =>
  db.selectFrom('runs').select('message_id').where('answer_id', '=', param('id')).where('thread_key', '=', param('thread')),
);

/** A message to write. */
export interface NewMessageRow extends Omit<Columns, 'parts'> {
  readonly parts: readonly Part[];
}

/** Writes one message of this user, by whose text searches then find its thread. */
export function insertMessage(session: Session, userId: string, message: NewMessageRow): void {
  const { thread_key, seq, parts } = message;
  add.post(session, { ...message, parts: JSON.stringify(parts) });
  addToSearch(session, { threadKey: thread_key, seq, userId, text: () => textOf(parts) });
}

/** A message of the owner, unless its thread is deleted. */
export async function findMessage(session: Session, input: { owner: Owner; messageId: MessageId }): Promise<Message | null> {
  const { applicationId, userId } = input.owner;
  const row = await byOwner.first(session, { application: applicationId, user: userId, id: input.messageId });
  return row === undefined ? null : toMessage(row);
}

/** Whether the thread has this message, stored or promised as the answer of one of its runs. */
export async function isInThread(session: Session, threadKey: string, messageId: string): Promise<boolean> {
  const key = { thread: threadKey, id: messageId };
  return (await stored.first(session, key)) !== undefined || (await promised.first(session, key)) !== undefined;
}

/** The question that a message is or answers, or null when the thread has no such question. */
export async function questionOf(session: Session, threadKey: string, messageId: string): Promise<MessageId | null> {
  const key = { thread: threadKey, id: messageId };
  const message = await stored.first(session, key);
  if (message?.role === 'user') return messageId as MessageId;
  const question = message === undefined ? (await promised.first(session, key))?.message_id : message.parent_id;
  return (question ?? null) as MessageId | null;
}

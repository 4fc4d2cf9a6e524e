import type { Idempotency } from '../../../core/ports/idempotency.ts';
import type { CreateThreadResult, NewThread } from '../../../core/ports/store.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Thread } from '../../../core/thread.ts';
import { findRepeat, keepResult } from './idempotency.ts';
import { lockNames } from './locks.ts';
import { toThread } from './rows.ts';
import type { Session } from './session.ts';
import { insertThread, lockThreadRow, newThreadRow } from './threads.ts';
import { ensureUser } from './users.ts';

/** Makes a thread, or gives the one that has this id already: an id is its user's own name. */
export async function createThread(
  session: Session,
  input: { owner: Owner; now: number; thread: NewThread; idempotency: Idempotency | null },
): Promise<CreateThreadResult> {
  const { owner, now, idempotency } = input;
  await lockNames(session, owner, idempotency === null ? [input.thread.id] : [`repeat ${idempotency.key}`, input.thread.id]);
  const user = await ensureUser(session, owner, now);
  if (idempotency !== null) {
    const earlier = await findRepeat<{ thread: Thread }>(session, { userId: user.id, idempotency, now });
    if (earlier === 'mismatch') return { kind: 'refused', reason: 'idempotency_mismatch' };
    if (earlier !== null) return { kind: 'replayed', thread: earlier.thread };
  }
  const existing = await lockThreadRow(session, owner, { id: input.thread.id });
  const row = existing ?? (await newThreadRow(session, { owner, user, thread: input.thread, now }));
  if (existing === undefined) insertThread(session, row);
  const thread = toThread(row);
  if (idempotency !== null) await keepResult(session, { userId: user.id, idempotency, threadKey: row.key, result: { thread }, now });
  return { kind: existing === undefined ? 'created' : 'replayed', thread };
}

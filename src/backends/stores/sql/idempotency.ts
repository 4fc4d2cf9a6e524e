import type { Idempotency } from '../../../core/ports/idempotency.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Session } from './session.ts';

const LIFETIME_MS = 24 * 60 * 60 * 1000;

const find = prepared((db, param: Param<{ user: string; key: string; since: number }>) =>
  db
    .selectFrom('idempotency_keys')
    .select(['fingerprint', 'result'])
    .where('user_id', '=', param('user'))
    .where('key', '=', param('key'))
    .where('created_at', '>', param('since')),
);

const add = prepared((db, param: Param<{ user: string; key: string; fingerprint: string; thread: string; result: string; now: number }>) =>
  db
    .insertInto('idempotency_keys')
    .values({
      user_id: param('user'),
      key: param('key'),
      fingerprint: param('fingerprint'),
      thread_key: param('thread'),
      result: param('result'),
      created_at: param('now'),
    })
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'key']).doUpdateSet((eb) => ({
        fingerprint: eb.ref('excluded.fingerprint'),
        thread_key: eb.ref('excluded.thread_key'),
        result: eb.ref('excluded.result'),
        created_at: eb.ref('excluded.created_at'),
      })),
    ),
);

const forget = prepared((db, param: Param<{ until: number }>) =>
  db.deleteFrom('idempotency_keys').where('created_at', '<=', param('until')),
);

const forgetNamed = prepared((db, param: Param<{ thread: string; named: string }>) =>
  db.deleteFrom('idempotency_keys').where('thread_key', '=', param('thread')).where('result', 'like', param('named')),
);

/** The first result under this key, null when there is none, `mismatch` when the key was used for something else. */
export async function findRepeat<Result>(
  session: Session,
  input: { userId: string; idempotency: Idempotency; now: number },
): Promise<Result | 'mismatch' | null> {
  const { userId, idempotency, now } = input;
  const found = await find.first(session, { user: userId, key: idempotency.key, since: now - LIFETIME_MS });
  if (found === undefined) return null;
  return found.fingerprint === idempotency.fingerprint ? (JSON.parse(found.result) as Result) : 'mismatch';
}

/** Keeps a result for repeats; it goes when its thread goes. */
export async function keepResult(
  session: Session,
  input: { userId: string; idempotency: Idempotency; threadKey: string; result: object; now: number },
): Promise<void> {
  add.post(session, {
    user: input.userId,
    key: input.idempotency.key,
    fingerprint: input.idempotency.fingerprint,
    thread: input.threadKey,
    result: JSON.stringify(input.result),
    now: input.now,
  });
}

/** Forgets the results of a thread that name a record of it, by an id that could stand for nothing else. */
export async function forgetResult(session: Session, { threadKey, id }: { threadKey: string; id: string }): Promise<void> {
  await forgetNamed.run(session, { thread: threadKey, named: `%"${id}"%` });
}

/** Forgets keys that are no longer good at `now`. */
export async function forgetOldKeys(session: Session, now: number): Promise<void> {
  await forget.run(session, { until: now - LIFETIME_MS });
}

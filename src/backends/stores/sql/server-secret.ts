import { prepared } from './prepared.ts';
import type { Session } from './session.ts';

const stored = prepared((db) => db.selectFrom('server_secret').select('value'));

/** The secret that was made with the store. */
export async function serverSecret(session: Session): Promise<string> {
  const row = await stored.first(session, {});
  if (row === undefined) throw new Error("The store has lost the server's secret.");
  return row.value;
}

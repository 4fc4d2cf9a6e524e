import type { Session } from '../sql/session.ts';

const OLDEST_VERSION = 150_000;

/** What a server says of itself; `number` is its version as PostgreSQL counts, 150003 for 15.3. */
interface ServerFacts {
  readonly number: number;
  readonly version: string;
  readonly encoding: string;
}

const FACTS = `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
  current_setting('server_encoding') as encoding`;

/** Why the server or the database cannot hold the store, as the end of a sentence; null when it can. */
export function unfitness({ number, version, encoding }: ServerFacts): string | null {
  if (number < OLDEST_VERSION) return `it is version ${version}, and 15 or newer is needed.`;
  if (encoding !== 'UTF8') return `the database has the encoding ${encoding}: create it with ENCODING 'UTF8'.`;
  return null;
}

/** Rejects when the server on the other end cannot hold the store. */
export async function refuseUnfit(session: Session): Promise<void> {
  const [facts] = (await session.all(FACTS, [])) as readonly ServerFacts[];
  const reason = facts === undefined ? 'it does not tell its version.' : unfitness(facts);
  if (reason !== null) throw new Error(reason);
}

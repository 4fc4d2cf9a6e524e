import { randomBytes } from 'node:crypto';
import type { Compilable, Kysely } from 'kysely';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';
import { forms, notNull } from './forms.ts';

/** The server's own secret. It comes with its table, in one transaction, so that there is never a moment without it and never a second one. */
export function serverSecret(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, strict } = forms(dialect);
  return [
    strict(db.schema.createTable('server_secret').addColumn('value', text, notNull)),
    db.insertInto('server_secret').values({ value: randomBytes(32).toString('hex') }),
  ];
}

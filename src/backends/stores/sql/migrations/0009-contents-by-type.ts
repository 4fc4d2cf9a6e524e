import type { Compilable, Kysely } from 'kysely';
import type { Database } from '../schema.ts';
import { unique } from './forms.ts';

/** The same bytes are another text when they are taken for another kind of document. */
export function contentsByType(db: Kysely<Database>): readonly Compilable[] {
  return [db.schema.dropIndex('contents_by_user_id_digest'), unique(db, 'contents', ['user_id', 'digest', 'type'])];
}

import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from './session.ts';

/** What stands behind `in` for a JSON array of texts: a list of any length in one prepared statement. */
export function idList(dialect: Dialect, ids: string): RawBuilder<string> {
  switch (dialect) {
    case 'sqlite':
      return sql<string>`(select value from json_each(${ids}))`;
    case 'postgres':
      return sql<string>`(select jsonb_array_elements_text(cast(${ids} as jsonb)))`;
  }
}

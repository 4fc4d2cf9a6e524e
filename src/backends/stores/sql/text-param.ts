import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from './session.ts';

/** A text where a recursive query starts: PostgreSQL wants the collation of the columns it goes on with. */
export function textParam(value: string, dialect: Dialect): RawBuilder<string | null> {
  switch (dialect) {
    case 'sqlite':
      return sql`cast(${value} as text)`;
    case 'postgres':
      return sql`cast(${value} as text) collate "C"`;
  }
}

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Session } from '../sql/session.ts';

const KEPT_STATEMENTS = 256;

/** A session over one connection that prepares each SQL text once and keeps the most recently used ones. */
export function statementSession(database: DatabaseSync): Session {
  const statements = new Map<string, StatementSync>();
  const statementFor = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const made = database.prepare(sql);
    statements.set(sql, made);
    if (statements.size > KEPT_STATEMENTS) {
      for (const oldest of statements.keys()) {
        statements.delete(oldest);
        break;
      }
    }
    return made;
  };
  return {
    dialect: 'sqlite',
    all: async (sql, parameters) => statementFor(sql).all(...(parameters as readonly SQLInputValue[])),
    run: async (sql, parameters) => Number(statementFor(sql).run(...(parameters as readonly SQLInputValue[])).changes),
  };
}

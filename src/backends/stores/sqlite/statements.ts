import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Session } from '../sql/session.ts';

const KEPT_STATEMENTS = 256;

/** SQL texts on one connection, answered at once; each is prepared when it comes first, and the most recent ones are kept. */
export interface Statements {
  all(sql: string, parameters: readonly SQLInputValue[]): readonly unknown[];
  /** Gives the number of rows that were written. */
  run(sql: string, parameters: readonly SQLInputValue[]): number;
}

export function statementsOn(database: DatabaseSync): Statements {
  const statements = new Map<string, StatementSync>();
  const statementFor = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    // Behind a bare parameter as its limit, SQLite plans a query anew for every value: that costs more than the query.
    const made = database.prepare(sql.replaceAll('limit ?', 'limit (? + 0)'));
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
    all: (sql, parameters) => statementFor(sql).all(...parameters),
    run: (sql, parameters) => Number(statementFor(sql).run(...parameters).changes),
  };
}

/** The session for what both SQL stores have in common. */
export function sessionOf(statements: Statements): Session {
  return {
    dialect: 'sqlite',
    all: async (sql, parameters) => statements.all(sql, parameters as readonly SQLInputValue[]),
    run: async (sql, parameters) => statements.run(sql, parameters as readonly SQLInputValue[]),
    post: (sql, parameters) => void statements.run(sql, parameters as readonly SQLInputValue[]),
  };
}

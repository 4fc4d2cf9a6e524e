import type { Compilable, Kysely } from 'kysely';
import type { Database } from './schema.ts';
import type { Dialect, Session } from './session.ts';
import { builders } from './session.ts';

/** Stands in a prepared query for a value that each execution names. */
export type Param<Values> = <Name extends keyof Values & string>(name: Name) => Values[Name];

/** A query that is built and compiled once per dialect and then only executed. */
export interface Prepared<Values, Row> {
  all(session: Session, values: Values): Promise<readonly Row[]>;
  first(session: Session, values: Values): Promise<Row | undefined>;
  /** Gives the number of rows that were written. */
  run(session: Session, values: Values): Promise<number>;
  /** Writes without waiting, inside a transaction that fails if this fails. */
  post(session: Session, values: Values): void;
}

interface Compiled<Values> {
  readonly sql: string;
  fill(values: Values): unknown[];
}

function placeholder(name: string): { readonly parameter: string } {
  return { parameter: name };
}

function parameterName(value: unknown): string | null {
  return typeof value === 'object' && value !== null && 'parameter' in value && typeof value.parameter === 'string'
    ? value.parameter
    : null;
}

function compile<Values, Row>(query: Compilable<Row>): Compiled<Values> {
  const { sql, parameters } = query.compile();
  const names = parameters.map(parameterName);
  return {
    sql,
    fill: (values) => names.map((name, index) => (name === null ? parameters[index] : values[name as keyof Values])),
  };
}

/** Prepares a query; `build` runs at most once per dialect, so it must not depend on anything but its arguments. */
export function prepared<Values, Row>(
  build: (db: Kysely<Database>, param: Param<Values>, dialect: Dialect) => Compilable<Row>,
): Prepared<Values, Row> {
  const compiled = new Map<Dialect, Compiled<Values>>();
  const compiledFor = (dialect: Dialect): Compiled<Values> => {
    const known = compiled.get(dialect);
    if (known !== undefined) return known;
    // The builder takes any value for a parameter and hands it back untouched, so the marker may pose as the value's type.
    const made = compile<Values, Row>(build(builders[dialect], ((name) => placeholder(name)) as Param<Values>, dialect));
    compiled.set(dialect, made);
    return made;
  };
  const all = (session: Session, values: Values): Promise<readonly Row[]> => {
    const query = compiledFor(session.dialect);
    return session.all(query.sql, query.fill(values)) as Promise<readonly Row[]>;
  };
  return {
    all,
    first: async (session, values) => (await all(session, values))[0],
    run: (session, values) => {
      const query = compiledFor(session.dialect);
      return session.run(query.sql, query.fill(values));
    },
    post: (session, values) => {
      const query = compiledFor(session.dialect);
      session.post(query.sql, query.fill(values));
    },
  };
}

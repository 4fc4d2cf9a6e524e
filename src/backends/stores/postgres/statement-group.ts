import pg from 'pg';
import type { Parameter } from './parameters.ts';

const INT8 = 20;

/** What a statement gave. */
export interface Answer {
  readonly rows: readonly unknown[];
  /** How many rows it has given or written. */
  readonly count: number;
}

/** A statement under way. */
export interface Statement {
  readonly text: string;
  readonly parameters: readonly Parameter[];
  /** Null where nobody waits for the answer. */
  readonly asker: PromiseWithResolvers<Answer> | null;
  readonly rows: unknown[];
  count: number;
}

interface Column {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

/** A statement as the server has prepared it. */
interface PreparedStatement {
  readonly name: string;
  columns: readonly Column[];
}

/** What is prepared on a connection. */
export interface PreparedStatements {
  readonly byText: Map<string, PreparedStatement>;
  /** Names that a group which failed may have left with the server. */
  readonly doubtful: string[];
}

interface GroupOptions {
  readonly prepared: PreparedStatements;
  /** Gets the first error of a group that has failed, behind which none of its statements was done. */
  readonly done: (error: Error | null) => void;
}

/** No name is used twice: of a statement in a group that failed nobody knows whether it is prepared. */
let names = 0;

/**
 * Statements with one Sync behind them all, in the form in which the driver takes queries that are not its own. Those have a Sync each, and ask
 * for the columns of a result every time.
 */
export function createGroup(statements: readonly Statement[], { prepared, done }: GroupOptions) {
  const sent: PreparedStatement[] = [];
  const added = new Map<string, PreparedStatement>();
  let at = 0;
  let failure: Error | null = null;

  function prepare(connection: pg.Connection, text: string): PreparedStatement {
    const known = prepared.byText.get(text);
    if (known !== undefined) return known;
    names += 1;
    const statement = { name: `polylogue_${names}`, columns: [] };
    prepared.byText.set(text, statement);
    added.set(text, statement);
    connection.parse({ name: statement.name, text, types: [] }, true);
    connection.describe({ type: 'S', name: statement.name }, true);
    return statement;
  }

  return {
    /** The driver puts its own here, which stops its clock and calls this one. */
    callback: done,
    submit(connection: pg.Connection) {
      connection.stream.cork();
      for (const name of prepared.doubtful.splice(0)) connection.close({ type: 'S', name }, true);
      for (const { text, parameters } of statements) {
        const statement = prepare(connection, text);
        sent.push(statement);
        connection.bind({ statement: statement.name, values: [...parameters] }, true);
        connection.execute(null, true);
      }
      connection.sync();
      connection.stream.uncork();
    },
    handleRowDescription({ fields }: { readonly fields: readonly pg.FieldDef[] }) {
      const statement = sent[at];
      if (statement !== undefined) statement.columns = fields.map(({ name, dataTypeID }) => ({ name, parse: parserOf(dataTypeID) }));
    },
    handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }) {
      try {
        statements[at]?.rows.push(rowOf(sent[at]?.columns ?? [], fields));
      } catch (error) {
        failure ??= error as Error;
      }
    },
    handleCommandComplete({ text }: { readonly text: string }) {
      const statement = statements[at];
      if (statement !== undefined) statement.count = countIn(text);
      at += 1;
    },
    handleEmptyQuery() {
      at += 1;
    },
    handleReadyForQuery() {
      this.callback(failure);
    },
    handleError(error: Error) {
      for (const [text, { name }] of added) {
        prepared.byText.delete(text);
        prepared.doubtful.push(name);
      }
      this.callback(error);
    },
  };
}

function rowOf(columns: readonly Column[], texts: readonly (string | null)[]): Readonly<Record<string, unknown>> {
  const row: Record<string, unknown> = {};
  for (const [index, { name, parse }] of columns.entries()) {
    const text = texts[index] ?? null;
    row[name] = text === null ? null : parse(text);
  }
  return row;
}

/** What stands last in a tag such as `INSERT 0 64`; 0 for one without a number. */
function countIn(tag: string): number {
  return Number(tag.slice(tag.lastIndexOf(' ') + 1)) || 0;
}

function parserOf(type: number): Column['parse'] {
  return type === INT8 ? parseInteger : pg.types.getTypeParser(type, 'text');
}

function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`The database holds an integer beyond 2^53: ${text}.`);
  return value;
}

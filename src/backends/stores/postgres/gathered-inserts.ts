import type { Session } from '../sql/session.ts';

/** Numbers of rows whose sums are any number: few, because every connection plans a statement for each. */
const COUNTS = [4, 2, 1] as const;

const ROW = /^(insert into .* values )(\(.*\))( on conflict do nothing)?$/;

interface Insert {
  readonly texts: ReadonlyMap<number, string>;
  readonly rows: (readonly unknown[])[];
}

/** A session on which rows are written together, and the call that writes them. */
interface Gathered {
  readonly session: Session;
  post(): void;
}

const textsOf = new Map<string, ReadonlyMap<number, string> | null>();

/**
 * Keeps posted inserts of one row back and then writes all of the same text in one statement: what begins a statement costs more than what it
 * does for a row. For operations that do not read what they have inserted.
 */
export function gatherInserts(session: Session): Gathered {
  const inserts = new Map<string, Insert>();
  return {
    session: {
      ...session,
      post(sql, values) {
        const texts = textsFor(sql);
        if (texts === null) return session.post(sql, values);
        const insert = inserts.get(sql);
        if (insert === undefined) inserts.set(sql, { texts, rows: [values] });
        else insert.rows.push(values);
      },
    },
    post() {
      for (const { texts, rows } of inserts.values()) {
        let at = 0;
        for (const count of COUNTS) {
          for (; rows.length - at >= count; at += count) session.post(texts.get(count) ?? '', rows.slice(at, at + count).flat());
        }
      }
    },
  };
}

/** The insert of one row as one of several rows; null for any other statement. */
function textsFor(sql: string): ReadonlyMap<number, string> | null {
  const known = textsOf.get(sql);
  if (known !== undefined) return known;
  const [, head, row, tail = ''] = ROW.exec(sql) ?? [];
  const texts = head === undefined || row === undefined ? null : new Map(COUNTS.map((count) => [count, head + rowsOf(row, count) + tail]));
  textsOf.set(sql, texts);
  return texts;
}

function rowsOf(row: string, count: number): string {
  const parameters = row.match(/\$\d+/g)?.length ?? 0;
  const numbered = (by: number) => row.replaceAll(/\$(\d+)/g, (_, place: string) => `$${Number(place) + by}`);
  return Array.from({ length: count }, (_, index) => numbered(index * parameters)).join();
}

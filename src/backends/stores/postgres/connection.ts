import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Session } from '../sql/session.ts';
import { type Address, ConnectionLost, isEnding } from './failures.ts';
import { createPosted } from './posted.ts';

const INT8 = 20;
const CONNECT_MS = 10_000;
/** Longer than the server allows a statement: it ends only what a broken network keeps from ending. */
const ANSWER_MS = 45_000;

const SETTINGS = [
  "set application_name to 'polylogue'",
  "set client_encoding to 'UTF8'",
  'set search_path to polylogue, pg_catalog',
  "set statement_timeout to '30s'",
  "set lock_timeout to '10s'",
  "set idle_in_transaction_session_timeout to '30s'",
  // Without statistics, as in a new database, a table looks small enough to be read whole, and plans that do so stay for as long.
  'set enable_seqscan to off',
  // What has no index to go by looks too dear then, and would be compiled.
  'set jit to off',
  // With it off, a crash of PostgreSQL takes back what readers have seen.
  "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
].join('; ');

/** One connection to the server. Use it for one thing at a time; what is asked together is answered in one round trip. */
export interface Connection {
  /** Prepares each SQL text once, under a name. */
  readonly session: Session;
  /** False for good once the server or the network has ended it. */
  readonly usable: boolean;
  /** Statements without parameters, several of them separated by semicolons. */
  execute(statements: string): Promise<void>;
  /** The same without waiting. */
  post(statements: string): void;
  /** Resolves when everything that was posted has been done; rejects with its first failure. */
  settle(): Promise<void>;
  /** Calls back with the payload of every notification on the channel. */
  listen(channel: string, onPayload: (payload: string) => void): Promise<void>;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** Throws when the connection string makes no sense. */
export function addressOf(url: string): Address {
  const { host, port, user, database } = new pg.Client({ connectionString: url });
  return { host, port, user: user ?? '', database: database ?? '' };
}

/** Opens a connection; `patient` for statements that may take long, such as migrations. */
export async function openConnection(url: string, { patient = false } = {}): Promise<Connection> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    pipeline: true,
    types: { getTypeParser: (oid, format) => (oid === INT8 ? parseInteger : pg.types.getTypeParser(oid, format)) },
    ...(patient ? {} : { query_timeout: ANSWER_MS }),
  });
  let usable = true;
  const ended = new Promise<void>((resolve) => {
    const onEnd = () => {
      usable = false;
      resolve();
    };
    // Without this listener, a restart of the server would end this process.
    client.on('error', onEnd);
    client.on('end', onEnd);
  });
  const guarded = async <T>(query: Promise<T>): Promise<T> => {
    try {
      return await query;
    } catch (error) {
      if (!isEnding(error)) throw error;
      usable = false;
      throw new ConnectionLost(error);
    }
  };
  const close = async () => {
    usable = false;
    // Saying goodbye fails where the connection is broken, and then there is nothing left to close.
    await client.end().catch((error: unknown) => {
      if (!isEnding(error)) throw error;
    });
  };
  try {
    await client.connect();
    await client.query(patient ? `${SETTINGS}; set statement_timeout to 0; set lock_timeout to 0` : SETTINGS);
  } catch (error) {
    await close();
    throw error;
  }
  const posted = createPosted();
  return {
    session: sessionOver(client, { guarded, post: posted.add }),
    get usable() {
      return usable;
    },
    execute: async (statements) => void (await guarded(client.query(statements))),
    post: (statements) => posted.add(guarded(client.query(statements))),
    settle: posted.settle,
    async listen(channel, onPayload) {
      client.on('notification', (notification) => {
        if (notification.channel === channel) onPayload(notification.payload ?? '');
      });
      await guarded(client.query(`listen ${channel}`));
    },
    ended,
    close,
  };
}

interface Sending {
  readonly guarded: <T>(query: Promise<T>) => Promise<T>;
  readonly post: (query: Promise<unknown>) => void;
}

function sessionOver(client: pg.Client, { guarded, post }: Sending): Session {
  const query = (text: string, values: readonly unknown[]) => guarded(client.query({ name: nameOf(text), text, values: [...values] }));
  return {
    dialect: 'postgres',
    all: async (text, values) => (await query(text, values)).rows,
    run: async (text, values) => (await query(text, values)).rowCount ?? 0,
    post: (text, values) => post(query(text, values)),
  };
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `plg_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
  names.set(text, name);
  return name;
}

function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`The database holds an integer beyond 2^53: ${text}.`);
  return value;
}

import pg from 'pg';
import type { Session } from '../sql/session.ts';
import { type Address, ConnectionLost, isEnding } from './failures.ts';
import { createStatements, type Statements } from './statements.ts';

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

/** A migration that changes a whole table reads it as it lies. */
const PATIENT = ['set statement_timeout to 0', 'set lock_timeout to 0', 'reset enable_seqscan'];
const KEEP_PLANS = 'set plan_cache_mode to force_generic_plan';

/** One connection to the server. Use it for one thing at a time; what is asked together is answered in one round trip. */
export interface Connection {
  /** Prepares each SQL text once. What is posted goes with the next statement that somebody waits for. */
  readonly session: Session;
  /** False for good once the server or the network has ended it. */
  readonly usable: boolean;
  /** Statements without parameters, several of them separated by semicolons. */
  execute(statements: string): Promise<void>;
  /** Undoes the transaction that has begun. */
  rollBack(): Promise<void>;
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

/** What a connection is for. */
export interface ConnectionOptions {
  /** For statements that may take long, such as migrations. */
  readonly patient?: boolean;
  /** For statements that go by keys: one plan is good for all values, and to plan again would cost more than they do. */
  readonly keepsPlans?: boolean;
}

/** Opens a connection. */
export async function openConnection(url: string, { patient = false, keepsPlans = false }: ConnectionOptions = {}): Promise<Connection> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
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
  const failure = (error: unknown): unknown => {
    if (!isEnding(error)) return error;
    usable = false;
    return new ConnectionLost(error);
  };
  const execute = async (statements: string) => {
    await client.query(statements).catch((error: unknown) => {
      throw failure(error);
    });
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
    await client.query([SETTINGS, ...(patient ? PATIENT : []), ...(keepsPlans ? [KEEP_PLANS] : [])].join('; '));
  } catch (error) {
    await close();
    throw error;
  }
  const statements = createStatements(client, failure);
  return {
    session: sessionOver(statements),
    get usable() {
      return usable;
    },
    execute,
    rollBack: () => {
      statements.discard();
      return execute('rollback');
    },
    async listen(channel, onPayload) {
      client.on('notification', (notification) => {
        if (notification.channel === channel) onPayload(notification.payload ?? '');
      });
      await execute(`listen ${channel}`);
    },
    ended,
    close,
  };
}

function sessionOver({ ask, post }: Statements): Session {
  return {
    dialect: 'postgres',
    all: async (text, values) => (await ask(text, values)).rows,
    run: async (text, values) => (await ask(text, values)).count,
    post,
  };
}

import { createReadStream } from 'node:fs';
import pg from 'pg';
import { storeUnavailable } from '../../../core/errors.ts';
import type { ContentId } from '../../../core/ids.ts';
import type { BlobStore, ReceivedFile } from '../../../core/ports/blob-store.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import { onDisk } from '../disk-failure.ts';
import { createIntake, LEFT_FREE_BYTES } from '../intake.ts';

const TABLE = 'polylogue.content_chunks';
const CHUNK_BYTES = 256 * 1024;
const CONNECTIONS = 3;
const CONNECT_MS = 5_000;
const ANSWER_MS = 20_000;
/** No upload takes so long: a file that was last written before was left behind by a process that is gone. */
const LEFT_BEHIND_MS = 3_600_000;

const ADD = `insert into ${TABLE} (content_id, position, bytes) values ($1, $2, $3)`;
const READ = `select bytes from ${TABLE} where content_id = $1 and position = $2`;
const REMOVE = `delete from ${TABLE} where content_id = $1`;

interface SharedBlobOptions {
  readonly url: string;
  /** A folder of this machine for what is coming in; other servers may use it too. */
  readonly incoming: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Told when an idle connection breaks; the next call connects anew. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Keeps bytes in PostgreSQL, in the table that the store's migrations make, so that all servers which share it have them. Connects when first
 * used; rejects with `overloaded` while the database cannot be used.
 */
export function openPostgresBlobs({ url, incoming, clock, onFault }: SharedBlobOptions): BlobStore {
  const intake = createIntake(incoming, LEFT_FREE_BYTES);
  const pool = openPool(url);
  // Without this listener, a restart of the database would end this process.
  pool.on('error', onFault);
  const query = async (text: string, values: readonly unknown[]): Promise<readonly { readonly bytes: Buffer }[]> => {
    try {
      return (await pool.query<{ bytes: Buffer }>(text, [...values])).rows;
    } catch (error) {
      throw storeUnavailable(error);
    }
  };

  async function keep(id: ContentId, { path }: ReceivedFile): Promise<void> {
    let position = 0;
    for await (const bytes of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      await query(ADD, [id, position, bytes]);
      position += 1;
    }
    if (position === 0) await query(ADD, [id, 0, Buffer.alloc(0)]);
  }

  async function* behind(id: ContentId, first: Uint8Array): AsyncGenerator<Uint8Array> {
    let chunk: Uint8Array | undefined = first;
    for (let position = 1; chunk !== undefined; position += 1) {
      yield chunk;
      chunk = (await query(READ, [id, position]))[0]?.bytes;
    }
    // All chunks go at once: without the first one, the last one that was found need not have been the end.
    if ((await query(READ, [id, 0])).length === 0) throw new Error('A content was removed while it was read.');
  }

  return {
    receive: intake.receive,
    keep: (id, file) => onDisk(() => keep(id, file)),
    async open(id) {
      const [first] = await query(READ, [id, 0]);
      return first === undefined ? null : behind(id, first.bytes);
    },
    remove: async (id) => void (await query(REMOVE, [id])),
    removeLeftovers: () => onDisk(() => intake.removeOlder(clock.now() - LEFT_BEHIND_MS)),
    close: async () => {
      if (!pool.ending) await pool.end();
    },
  };
}

function openPool(url: string): pg.Pool {
  return new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    statement_timeout: ANSWER_MS,
    application_name: 'polylogue files',
    keepAlive: true,
  });
}

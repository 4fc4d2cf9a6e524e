import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreHints } from '../../../core/ports/store-hints.ts';
import type { Connection } from './connection.ts';
import type { StoreLog } from './store-log.ts';

const CHANNEL = 'polylogue';
/** PostgreSQL takes payloads below 8000 bytes. */
const PAYLOAD_BYTES = 7_900;
/** What is longer wakes nobody, who then looks by himself. */
const LONGEST_SUBJECT = 4_000;
const HEARTBEAT_MS = 5_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

const REGISTER = `insert into processes (id, seen_at) values ($1, now())
  on conflict (id) do update set seen_at = excluded.seen_at`;
const FORGET_DEAD = "delete from processes where seen_at < now() - interval '1 minute'";
const OTHERS = "select 1 from processes where id <> $1 and seen_at > now() - interval '20 seconds' limit 1";
const LEAVE = 'delete from processes where id = $1';
const NOTIFY = `select pg_notify('${CHANNEL}', $1)`;

interface HintsOptions {
  readonly connect: () => Promise<Connection>;
  readonly log: StoreLog;
}

/**
 * Hints between the servers on one database, over a connection of their own. What is published while one notification is on its way goes with
 * the next; nothing is sent while no other server is there.
 */
export async function openHints({ connect, log }: HintsOptions): Promise<StoreHints & { close(): Promise<void> }> {
  const self = randomUUID();
  const listeners = new Set<(subject: string) => void>();
  const closing = new AbortController();
  const subjects = new Set<string>();
  let link: Link | null = null;
  let sending = false;

  function receive(payload: string): void {
    const [sender, ...hinted] = payload.split(' ');
    if (sender === self) return;
    link?.lookAround();
    for (const subject of hinted) for (const listener of listeners) listener(Buffer.from(subject, 'base64url').toString());
  }
  async function send(): Promise<void> {
    sending = true;
    // Everything that is published in this turn of the loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (subjects.size > 0 && link?.hasCompany) {
      const payload = takePayload(self, subjects);
      await link.notify(payload).catch((error: unknown) => log.warn({ err: error }, 'a hint to other servers was not sent'));
    }
    subjects.clear();
    sending = false;
  }
  async function keepConnected(first: () => void): Promise<void> {
    let pause = FIRST_RETRY_MS;
    while (!closing.signal.aborted) {
      try {
        link = await openLink(await connect(), { self, receive });
        pause = FIRST_RETRY_MS;
        first();
        await link.upkeep(closing.signal);
      } catch (error) {
        if (!closing.signal.aborted) log.warn({ err: error }, 'no hints from other servers for now: their events come a little later');
      }
      await link?.close();
      link = null;
      first();
      await sleep(pause, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      pause = Math.min(pause * 2, LAST_RETRY_MS);
    }
  }

  const connected = Promise.withResolvers<void>();
  const done = keepConnected(connected.resolve);
  await connected.promise;
  return {
    publish(hinted) {
      if (!link?.hasCompany) return;
      for (const subject of hinted) {
        const word = Buffer.from(subject).toString('base64url');
        if (word.length <= LONGEST_SUBJECT) subjects.add(word);
      }
      if (!sending) void send();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closing.abort();
      await done;
    },
  };
}

/** As many subjects as one notification holds, taken out of the set. */
function takePayload(self: string, subjects: Set<string>): string {
  let payload = self;
  for (const subject of subjects) {
    if (payload.length + 1 + subject.length > PAYLOAD_BYTES) break;
    payload += ` ${subject}`;
    subjects.delete(subject);
  }
  return payload;
}

interface Link {
  /** Whether another server was there when this one looked last. */
  readonly hasCompany: boolean;
  notify(payload: string): Promise<void>;
  /** Looks soon whether other servers are there. */
  lookAround(): void;
  /** Says that this server lives and looks around, until the signal aborts; rejects when the connection is lost. */
  upkeep(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Listens, registers this server and tells the others, so that they look around too. */
async function openLink(connection: Connection, own: { self: string; receive: (payload: string) => void }): Promise<Link> {
  const { session } = connection;
  let hasCompany = false;
  let last: Promise<unknown> = Promise.resolve();
  // A connection does one thing at a time.
  const next = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  const beat = () =>
    next(async () => {
      await session.run(REGISTER, [own.self]);
      await session.run(FORGET_DEAD, []);
      hasCompany = (await session.all(OTHERS, [own.self])).length > 0;
    });
  const notify = (payload: string) => next(() => session.all(NOTIFY, [payload])).then(() => undefined);
  let wake = () => {};
  await connection.listen(CHANNEL, own.receive);
  await beat();
  await notify(own.self);
  return {
    get hasCompany() {
      return hasCompany;
    },
    notify,
    lookAround() {
      if (!hasCompany) wake();
    },
    async upkeep(signal) {
      const wakeNow = () => wake();
      signal.addEventListener('abort', wakeNow, { once: true });
      void connection.ended.then(wakeNow);
      while (!signal.aborted && connection.usable) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, HEARTBEAT_MS).unref();
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        if (!signal.aborted) await beat();
      }
      signal.removeEventListener('abort', wakeNow);
    },
    async close() {
      if (connection.usable) await next(() => session.run(LEAVE, [own.self])).catch(() => undefined);
      await connection.close();
    },
  };
}

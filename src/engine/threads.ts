import type { ThreadId, ThreadKey } from '../core/ids.ts';
import type { AgentStore } from '../core/ports/agent-store.ts';
import type { Catalogue } from '../core/ports/catalogue.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { IdSource } from '../core/ports/ids.ts';
import type { MessageStore } from '../core/ports/message-store.ts';
import type { NewThread, Store, ThreadStore } from '../core/ports/store.ts';
import type { TokenCounter } from '../core/ports/token-counter.ts';
import type { TokenStore } from '../core/ports/token-store.ts';
import type { Owner } from '../core/principal.ts';
import { messageNotFound, repeatMismatch, threadNotFound, tooManyTags } from '../core/refusals.ts';
import { MAX_TAGS, type ThreadRef } from '../core/thread.ts';
import { agentNamed } from './agents/agent-named.ts';
import type { CreateThread, Engine } from './engine.ts';
import { measure } from './measure.ts';
import { modelNamed } from './models.ts';
import type { LiveRuns } from './runs/live-run.ts';
import { onceAvailable, unlessUnavailable } from './unless-unavailable.ts';
import { threadName, type WakeUps } from './wake-ups.ts';

export interface ThreadPorts {
  readonly store: ThreadStore & MessageStore & TokenStore & Pick<AgentStore, 'findAgent'> & Pick<Store, 'capabilities'>;
  readonly counter: TokenCounter;
  readonly catalogue: Catalogue;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly wakeUps: WakeUps;
  readonly live: LiveRuns;
  /** Removes the bytes of files that nobody has any more. */
  readonly removeUnusedFiles: () => Promise<void>;
}

const EVENTS_PER_PAGE = 200;
const POLL_MS = 2_000;
/** Where no other process writes, hints reach everybody. */
const LONE_POLL_MS = 60_000;
/** How long a deletion waits for the thread's running runs to end. */
const STOP_MS = 10_000;

/** The names of a thread that is to be created. */
export function newThread(ids: IdSource, input: Omit<CreateThread, 'owner' | 'repeat'>): NewThread {
  const key = ids.uuid<ThreadKey>();
  return {
    key,
    id: input.id ?? (key as string as ThreadId),
    number: ids.number(),
    title: input.title ?? null,
    model: input.model ?? null,
    agent: input.agent ?? null,
    tags: input.tags ?? [],
    metadata: input.metadata ?? {},
    carryTurns: input.carryTurns ?? 0,
  };
}

export function createThreads(ports: ThreadPorts): Engine['threads'] {
  const { store, catalogue, ids, clock, wakeUps } = ports;
  const readEvents = createEventReading(store);
  return {
    async create(input) {
      if (input.model) modelNamed(catalogue, input.model);
      await agentNamed(store, input.owner, input.agent);
      const thread = newThread(ids, input);
      const result = await store.createThread({ owner: input.owner, now: clock.now(), thread, idempotency: input.repeat ?? null });
      if (result.kind === 'refused') throw repeatMismatch();
      return { thread: result.thread, replayed: result.kind === 'replayed' };
    },
    find: async (owner, ref) => known(await store.findThread(owner, ref)),
    ownersOf: (owner, id) => store.ownersOfThread(owner.applicationId, id),
    existsInApplication: async (owner, id) => (await store.ownersOfThread(owner.applicationId, id)).length > 0,
    list: (owner, query) => store.listThreads(owner, query),
    count: (owner, filter) => store.countThreads(owner, filter),
    measure: async (owner, ref) => known(await measure(ports, owner, ref)),
    async change(owner, ref, changes) {
      if (changes.model) modelNamed(catalogue, changes.model);
      await agentNamed(store, owner, changes.agent);
      const thread = known(await store.changeThread({ owner, ref, changes, now: clock.now() }));
      wakeUps.hint(thread.key);
      return thread;
    },
    async changeTags(owner, ref, changes) {
      const thread = await store.changeTags({ owner, ref, changes: { ...changes, most: MAX_TAGS }, now: clock.now() });
      if (thread === 'thread_not_found') throw threadNotFound();
      if (thread === 'too_many_tags') throw tooManyTags();
      wakeUps.hint(thread.key);
      return thread;
    },
    async setHead(owner, ref, messageId) {
      const thread = await store.setHead({ owner, ref, messageId, now: clock.now() });
      if (thread === 'thread_not_found') throw threadNotFound();
      if (thread === 'message_not_found') throw messageNotFound();
      wakeUps.hint(thread.key);
      return thread;
    },
    delete: (owner, ref) => deleteThread(ports, owner, ref),
    async messages(owner, ref, page) {
      const messages = await store.listMessages({ owner, ref, ...page });
      if (messages) return messages;
      known(await store.findThread(owner, ref));
      throw messageNotFound();
    },
    async message(owner, messageId) {
      const message = await store.findMessage({ owner, messageId });
      if (!message) throw messageNotFound();
      return message;
    },
    lastEvent: async (owner, ref) => known(await store.lastThreadEvent(owner, ref)),
    untilCreated: (owner, id, signal) => untilCreated(ports, { owner, id, signal }),
    follow: (owner, ref, reader) => followThread(ports, readEvents, { owner, ref, reader }),
  };
}

async function deleteThread(ports: ThreadPorts, owner: Owner, ref: ThreadRef): Promise<void> {
  const { store, clock, live, wakeUps, removeUnusedFiles } = ports;
  const { thread, unfinished } = known(await store.closeThread({ owner, ref, now: clock.now() }));
  const until = clock.elapsed() + STOP_MS;
  for (const run of unfinished) live.stop(run.id, 'cancelled');
  for (const run of unfinished) while (live.get(run.id) && clock.elapsed() < until) await clock.sleep(5);
  await store.purgeThread(thread.key);
  await removeUnusedFiles();
  for (const run of unfinished) wakeUps.hint(run.id);
  wakeUps.hint(thread.key);
}

async function untilCreated(
  { store, wakeUps }: ThreadPorts,
  { owner, id, signal }: { owner: Owner; id: ThreadId; signal: AbortSignal },
): Promise<void> {
  const wakeUp = wakeUps.listen(threadName(owner, id));
  try {
    while (!signal.aborted) {
      const thread = await unlessUnavailable(store.findThread(owner, { id }));
      if (thread !== null && thread !== 'unavailable') return;
      await wakeUp.wait(thread === null ? pollMs(store) : POLL_MS, signal);
    }
  } finally {
    wakeUp.close();
  }
}

interface FollowThread {
  readonly owner: Owner;
  readonly ref: ThreadRef;
  readonly reader: Parameters<Engine['threads']['follow']>[2];
}

type ReadEvents = (owner: Owner, key: ThreadKey, input: { ref: ThreadRef; after: number }) => ReturnType<ThreadStore['listThreadEvents']>;

/** Readers who wait at the same place are woken together: what one of them reads is for all of them. */
function createEventReading(store: Pick<ThreadStore, 'listThreadEvents'>): ReadEvents {
  const reading = new Map<string, ReturnType<ThreadStore['listThreadEvents']>>();
  return (owner, key, { ref, after }) => {
    const place = `${key} ${after}`;
    const known = reading.get(place);
    if (known) return known;
    const events = store.listThreadEvents(owner, ref, { after, limit: EVENTS_PER_PAGE }).finally(() => reading.delete(place));
    reading.set(place, events);
    return events;
  };
}

async function followThread(ports: ThreadPorts, read: ReadEvents, { owner, ref, reader }: FollowThread): Promise<void> {
  const { store, wakeUps } = ports;
  const key = await keyOf(ports, { owner, ref, reader });
  const wakeUp = wakeUps.listen(key);
  let after = reader.after;
  try {
    while (!reader.signal.aborted) {
      const events = await unlessUnavailable(read(owner, key, { ref, after }));
      if (events === 'unavailable') {
        await wakeUp.wait(POLL_MS, reader.signal);
        continue;
      }
      if (!events) return await reader.onEvents([{ type: 'thread.deleted', number: after + 1 }]);
      if (events.length > 0) await reader.onEvents(events);
      after = events.at(-1)?.number ?? after;
      if (events.length < EVENTS_PER_PAGE) await wakeUp.wait(pollMs(store), reader.signal);
    }
  } finally {
    wakeUp.close();
  }
}

/** Apart, because whoever follows a thread may wait for hours and would keep all of it that long. */
async function keyOf({ store, clock }: ThreadPorts, { owner, ref, reader }: FollowThread): Promise<ThreadKey> {
  return known(await onceAvailable(() => store.findThread(owner, ref), { clock, signal: reader.signal })).key;
}

function pollMs({ capabilities }: Pick<Store, 'capabilities'>): number {
  return capabilities.shared ? POLL_MS : LONE_POLL_MS;
}

function known<T>(found: T | null): T {
  if (found === null) throw threadNotFound();
  return found;
}

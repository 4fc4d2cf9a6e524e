import type { ThreadId } from '../src/core/ids.ts';
import type { Store } from '../src/core/ports/store.ts';
import { ann, newThread, turn } from '../test/contracts/store-fixtures.ts';
import { answerParent } from './companion.ts';

// A built store with nothing around it, in a process of its own.

/** Which store, and how much to put into it. */
export interface StoreWork {
  /** A directory, or the address of a PostgreSQL server. */
  readonly place: { readonly dataDir: string } | { readonly url: string };
  readonly threads: number;
  readonly turnsEach: number;
  readonly reads: number;
}

/** What the store does in a second. */
export interface StoreSpeed {
  /** A turn: question and run in one transaction, answer and end in another. */
  readonly turnsAlone: number;
  readonly turnsBySixteen: number;
  readonly lastFifty: number;
  readonly list: number;
}

const SIXTEEN = 16;
const ANSWER = 'The answer of a model is some sentences long. '.repeat(18);

async function open({ place }: StoreWork): Promise<Store> {
  const built = (name: 'sqlite' | 'postgres') => new URL(`../dist/backends/stores/${name}/index.js`, import.meta.url).href;
  if ('url' in place) {
    const { openPostgresStore } = (await import(built('postgres'))) as typeof import('../src/backends/stores/postgres/index.ts');
    return openPostgresStore({ url: place.url, log: { info: () => undefined, warn: () => undefined } });
  }
  const { openSqliteStore } = (await import(built('sqlite'))) as typeof import('../src/backends/stores/sqlite/index.ts');
  return openSqliteStore(place);
}

/** How often in a second `work` is done by so many at a time, all of them together `times` times. */
async function rate(times: number, atOnce: number, work: (at: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  let next = 0;
  const one = async () => {
    for (let at = next++; at < times; at = next++) await work(at);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return times / ((performance.now() - begun) / 1000);
}

async function measure(work: StoreWork): Promise<StoreSpeed> {
  const store = await open(work);
  try {
    const ids: ThreadId[] = [];
    await rate(work.threads, 1, async () => ids.push((await turn(store, { thread: { create: newThread() } }, ANSWER)).thread.id));
    const id = (at: number) => ids[at % ids.length] as ThreadId;
    const turns = work.threads * (work.turnsEach - 1);
    const oneTurn = (at: number) => turn(store, { thread: { ref: { id: id(at) } } }, ANSWER);
    return {
      turnsBySixteen: await rate(turns, SIXTEEN, oneTurn),
      turnsAlone: await rate(Math.ceil(turns / 4), 1, oneTurn),
      lastFifty: await rate(work.reads, 1, (at) => store.listMessages({ owner: ann, ref: { id: id(at) }, branch: 'head', limit: 50 })),
      list: await rate(work.reads, 1, () => store.listThreads(ann, { limit: 20, cursor: null })),
    };
  } finally {
    await store.close();
  }
}

answerParent(measure);

import type { BeginResult, BeginRun } from '../../../core/ports/store.ts';
import { isAlwaysNear } from '../sql/run-limits.ts';
import { ConnectionLost } from './failures.ts';

/** So few that far below a bound on unfinished runs those that are not counted yet do not matter: see `run-limits.ts`. */
const MOST_TOGETHER = 4;
/** As many as there are connections: nobody waits for a group where a connection is free. */
const MOST_GROUPS = 4;
/** After a group that could not be stored, so many beginnings go one by one: what stood in its way may be there for a while. */
const ALONE_AFTER_FAILURE = 64;

type Begin = (input: BeginRun) => Promise<BeginResult>;

interface Waiting {
  readonly input: BeginRun;
  readonly names: readonly string[];
  readonly answer: PromiseWithResolvers<BeginResult>;
}

/** Beginnings of one server. */
export interface Beginnings {
  readonly begin: Begin;
  /** Resolves when everything has been stored that was asked for before. */
  stored(): Promise<void>;
}

interface BeginningsOptions {
  /** Begins a run in a transaction of its own. */
  readonly alone: Begin;
  /** Begins runs in one transaction; rejects with none begun. */
  readonly together: (inputs: readonly BeginRun[]) => Promise<readonly BeginResult[]>;
}

/**
 * Beginnings that come while others are being stored share a transaction, whose commit and messages cost more than what one run writes. In a
 * group each is of another thread and under another idempotency key: what is locked keeps only other transactions waiting.
 */
export function createBeginnings({ alone, together }: BeginningsOptions): Beginnings {
  const waiting: Waiting[] = [];
  const groups = new Set<Promise<void>>();
  let aloneFor = 0;

  function take(): readonly Waiting[] {
    const most = aloneFor > 0 ? 1 : MOST_TOGETHER;
    const taken: Waiting[] = [];
    const used = new Set<string>();
    if (aloneFor > 0) aloneFor -= 1;
    for (const one of waiting) {
      if (taken.length === most) break;
      if (one.names.some((name) => used.has(name))) break;
      taken.push(one);
      for (const name of one.names) used.add(name);
    }
    waiting.splice(0, taken.length);
    return taken;
  }
  async function store(group: readonly Waiting[]): Promise<void> {
    if (group.length === 1) return settleAlone(group);
    try {
      const results = await together(group.map(({ input }) => input));
      for (const [index, { answer }] of group.entries()) answer.resolve(results[index] as BeginResult);
    } catch (error) {
      if (error instanceof ConnectionLost) {
        for (const { answer } of group) answer.reject(error);
        return undefined;
      }
      aloneFor = ALONE_AFTER_FAILURE;
      await settleAlone(group);
    }
  }
  async function settleAlone(group: readonly Waiting[]): Promise<void> {
    await Promise.all(group.map(({ input, answer }) => alone(input).then(answer.resolve, answer.reject)));
  }
  function start(): void {
    while (groups.size < MOST_GROUPS && waiting.length > 0) {
      const group = store(take()).finally(() => {
        groups.delete(group);
        start();
      });
      groups.add(group);
    }
  }
  function begin(input: BeginRun): Promise<BeginResult> {
    const names = namesOf(input);
    if (names === null) return alone(input);
    const answer = Promise.withResolvers<BeginResult>();
    waiting.push({ input, names, answer });
    start();
    return answer.promise;
  }
  return {
    begin,
    async stored() {
      while (groups.size > 0) await Promise.all(groups);
    },
  };
}

/** What no other beginning of a group may have; null for one whose thread may have another name besides, or who has to be counted exactly. */
function namesOf({ owner, thread, idempotency, maxUnfinished }: BeginRun): readonly string[] | null {
  if (isAlwaysNear(maxUnfinished)) return null;
  const ref = 'create' in thread ? thread.create : thread.ref;
  if (!('id' in ref)) return null;
  const words = idempotency === null ? [`thread ${ref.id}`] : [`thread ${ref.id}`, `repeat ${idempotency.key}`];
  return words.map((word) => JSON.stringify([owner.applicationId, owner.userId, word]));
}

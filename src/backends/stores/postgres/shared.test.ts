import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  ann,
  append,
  begin,
  beginning,
  ending,
  lease,
  NOW,
  newId,
  newThread,
  question,
  segment,
  typesOf,
} from '../../../../test/contracts/store-fixtures.ts';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../../test/support/test-database.ts';
import type { ProcessId } from '../../../core/ids.ts';
import type { Lease, Store } from '../../../core/ports/store.ts';
import { openPostgresStore } from './index.ts';

const server = await findTestServer();
const log = { info: () => undefined, warn: () => undefined };
const otherLease: Lease = { processId: newId<ProcessId>(), until: NOW + 99_000 };

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let here: Store;
let there: Store;

describe.skipIf(server === null)('two servers on one database', () => {
  beforeEach(async () => {
    database = await createTestDatabase(server ?? '');
    [here, there] = await Promise.all([openPostgresStore({ url: database.url, log }), openPostgresStore({ url: database.url, log })]);
  });
  afterEach(async () => {
    await Promise.all([here.close(), there.close()]);
    await database.drop();
  });

  test('may start at once on an empty database', async () => {
    const url = (await createTestDatabase(server ?? '')).url;
    const stores = await Promise.all(Array.from({ length: 6 }, () => openPostgresStore({ url, log })));
    const versions = await queryDatabase(url, 'select version from polylogue.schema_versions order by version');
    expect(versions.map(({ version }) => Number(version))).toEqual(versions.map((_, index) => index + 1));
    await Promise.all(stores.map((store) => store.close()));
  });

  test('bring parallel beginnings in one thread into one order with one run under way', async () => {
    const { id } = newThread();
    const asked = Array.from({ length: 60 }, (_, index) => {
      const [store, claim] = index % 2 === 0 ? [here, lease] : [there, otherLease];
      return store.beginRun(beginning({ thread: { create: { ...newThread(), id } }, lease: claim, maxQueued: 60 }));
    });
    const runs = (await Promise.all(asked)).flatMap((result) => (result.kind === 'begun' ? [result.run] : []));
    const ordered = runs.toSorted((a, b) => a.answerSeq - b.answerSeq);
    expect(ordered.map((run) => run.answerSeq)).toEqual(Array.from({ length: 60 }, (_, index) => 2 * index + 2));
    expect(ordered.map((run) => run.status)).toEqual(ordered.map((_, index) => (index === 0 ? 'running' : 'queued')));
    const facts = await here.listThreadEvents(ann, { id }, { after: 0, limit: 200 });
    expect(facts?.map((fact) => fact.number)).toEqual(Array.from({ length: 61 }, (_, index) => index + 1));
    let running = ordered[0];
    for (const [index, following] of [...ordered.slice(1), undefined].entries()) {
      if (running === undefined) throw new Error('The queue has stopped.');
      const [store, claim] = index % 2 === 0 ? [here, lease] : [there, otherLease];
      const { fenced, started } = await append(store, { ends: [ending(running, 2)], lease: claim });
      expect([fenced, started.map((run) => run.id)]).toEqual([[], following === undefined ? [] : [following.id]]);
      running = started[0];
    }
  });

  test('queue no more runs than the bound, however they come', async () => {
    const { thread } = await begin(here);
    const asked = Array.from({ length: 40 }, (_, index) =>
      [here, there][index % 2]?.beginRun(beginning({ thread: { ref: { id: thread.id } }, maxQueued: 5 })),
    );
    const kinds = (await Promise.all(asked)).map((result) => result?.kind);
    expect(kinds.filter((kind) => kind === 'begun')).toHaveLength(5);
    expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(35);
  });

  test('make one run of equal requests', async () => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, index) => [here, there][index % 2]?.beginRun(beginning({ idempotency }))),
    );
    expect(results.filter((result) => result?.kind === 'begun')).toHaveLength(1);
    expect(results.filter((result) => result?.kind === 'replayed')).toHaveLength(39);
    expect(await here.listThreads(ann, { limit: 99, cursor: null })).toHaveLength(1);
  });

  test('claim a queued run once', async () => {
    const threads = await Promise.all(Array.from({ length: 10 }, () => begin(here, { lease: null })));
    const claims = await Promise.all([
      here.claimQueued({ now: NOW, lease }),
      there.claimQueued({ now: NOW, lease: otherLease }),
      here.claimQueued({ now: NOW, lease }),
    ]);
    expect(
      claims
        .flat()
        .map((run) => run.id)
        .toSorted(),
    ).toEqual(threads.map(({ run }) => run.id).toSorted());
  });

  test('pack logs into rows of bounded size, whoever wrote them', async () => {
    const lengthsOf = async (runId: string) => {
      const rows = await queryDatabase(database.url, `select length(events) from polylogue.run_logs where run_id = '${runId}'`);
      return rows.map(({ length }) => Number(length));
    };
    for (const writers of [[here], [here, there]]) {
      for (const [pieces, rows] of [
        [2, 1],
        [8, 3],
      ] as const) {
        const { run } = await begin(here);
        const segments = Array.from({ length: pieces }, (_, index) => segment(run, index + 2, [String(index).repeat(40_000)]));
        for (const [index, written] of segments.entries()) {
          await append(writers[index % writers.length] ?? here, { segments: [written] });
        }
        const end = ending(run, pieces + 2);
        await append(here, { ends: [end] });
        const lengths = await lengthsOf(run.id);
        expect([lengths.length, lengths.every((length) => length < 180_000)]).toEqual([rows, true]);
        const { events, ended } = await there.readLog({ runId: run.id, after: 1, maxBytes: 1_000_000 });
        expect([events, ended]).toEqual([[...segments, end.segment].map((one) => one.events), true]);
      }
    }
  });

  test('take segments once, also those that were stored without their writer knowing', async () => {
    const { run } = await begin(here);
    const second = segment(run, 2, ['a']);
    const third = segment(run, 3, ['b']);
    await append(here, { segments: [second] });
    // As if the answer to this one had got lost: its writer still takes the second for the last.
    const columns = 'run_id, attempt, first_offset, last_offset, events';
    const stored = `('${run.id}', 1, 3, 3, '${third.events}')`;
    await queryDatabase(database.url, `insert into polylogue.run_log_live (${columns}) values ${stored}`);
    await expect(append(here, { segments: [third] })).rejects.toThrow();
    for (let time = 0; time < 2; time += 1) expect(await append(here, { segments: [third] })).toEqual({ fenced: [], started: [] });
    expect((await append(here, { segments: [segment(run, 4, ['c'])] })).fenced).toEqual([]);
    expect((await append(here, { segments: [segment(run, 6, ['far'])] })).fenced).toEqual([run.id]);
    const { events } = await there.readLog({ runId: run.id, after: 0, maxBytes: 10_000 });
    expect(events.slice(1)).toEqual([second.events, third.events, segment(run, 4, ['c']).events]);
  });

  test('take a lost run over once, and its former owner can write no more', async () => {
    const runs = await Promise.all(Array.from({ length: 10 }, async () => (await begin(here)).run));
    await append(here, { segments: runs.map((run) => segment(run, 2, ['seen'])) });
    const taken = await Promise.all([
      there.takeLost({ now: lease.until, lease: otherLease }),
      here.takeLost({ now: lease.until, lease: otherLease }),
    ]);
    expect(
      taken
        .flat()
        .map(({ run }) => run.id)
        .toSorted(),
    ).toEqual(runs.map((run) => run.id).toSorted());
    expect(new Set(taken.flat().map(({ run }) => run.attempt))).toEqual(new Set([2]));
    const [lost] = taken.flat();
    if (lost === undefined) throw new Error('Nothing was lost.');
    const former = { ...lost.run, attempt: 1 };
    expect((await append(here, { segments: [segment(former, 3, ['stale'])] })).fenced).toEqual([former.id]);
    expect((await append(here, { ends: [ending(former, 3)] })).fenced).toEqual([former.id]);
    expect((await append(there, { ends: [ending(lost.run, 3)] })).fenced).toEqual([]);
    const { events } = await here.readLog({ runId: former.id, after: 0, maxBytes: 10_000 });
    expect(typesOf(events)).toEqual(['1 run.started', '2 text.appended', '3 run.completed']);
  });

  test('take a run over with everything that its owner was still writing', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { run } = await begin(here);
      const written: number[] = [];
      const writing = (async () => {
        for (let offset = 2; ; offset += 1) {
          const { fenced } = await append(here, { segments: [segment(run, offset, [`${offset}`])] });
          if (fenced.length > 0) return;
          written.push(offset);
        }
      })();
      await vi.waitUntil(() => written.length > round % 4, { interval: 1 });
      const [lost] = await there.takeLost({ now: lease.until, lease: otherLease });
      await writing;
      expect(lost?.events.map((json) => (JSON.parse(json) as { offset: number }).offset)).toEqual([1, ...written]);
      if (lost === undefined) throw new Error('Nothing was lost.');
      expect((await append(there, { ends: [ending(lost.run, written.length + 2)] })).fenced).toEqual([]);
    }
  });

  test('either end a run or take it over, never both', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 40; round += 1) {
      const { run } = await begin(here);
      const taking = async () => {
        for (let turn = 0; turn < round % 8; turn += 1) await there.ping();
        return there.takeLost({ now: lease.until, lease: otherLease });
      };
      const [{ fenced }, lost] = await Promise.all([append(here, { ends: [ending(run, 2)] }), taking()]);
      expect(lost.map((taken) => taken.run.id)).toEqual(fenced);
      outcomes.add(fenced.length === 0 ? 'ended' : 'taken');
    }
    expect(outcomes).toContain('ended');
  });

  test('never show a log as over before its last event', async () => {
    for (let round = 0; round < 40; round += 1) {
      const { run } = await begin(here);
      const ended = append(here, { ends: [ending(run, 2)] });
      const types: string[] = [];
      for (let over = false; !over; ) {
        const page = await there.readLog({ runId: run.id, after: 1 + types.length, maxBytes: 1000 });
        types.push(...typesOf(page.events));
        over = page.ended;
      }
      expect(types).toEqual(['2 run.completed']);
      await ended;
    }
  });

  test('take over one run alone when it is named, whatever its lease', async () => {
    const [first, second] = [await begin(here), await begin(here)];
    const taken = await there.takeLost({ now: NOW, lease: otherLease, only: first.run.id });
    expect(taken.map(({ run }) => [run.id, run.attempt])).toEqual([[first.run.id, 2]]);
    expect((await append(here, { segments: [segment(first.run, 2, ['a']), segment(second.run, 2, ['b'])] })).fenced).toEqual([
      first.run.id,
    ]);
  });

  test('leave nothing of a deleted thread, though the other one was writing', async () => {
    for (let round = 0; round < 10; round += 1) {
      const text = `cAnArY-${round}`;
      const { run, thread } = await begin(here, { ask: { kind: 'append', messages: [question(text)], parent: 'head' } });
      const writing = (async () => {
        for (let offset = 2; ; offset += 1) {
          if ((await append(here, { segments: [segment(run, offset, [text])] })).fenced.length > 0) return;
        }
      })();
      await there.closeThread({ owner: ann, ref: { id: thread.id }, now: NOW });
      await there.purgeThread(thread.key);
      await writing;
      expect(await queryDatabase(database.url, `select 1 from polylogue.run_log_live where run_id = '${run.id}'`)).toEqual([]);
      expect(await queryDatabase(database.url, `select 1 from polylogue.messages m where m::text like '%${text}%'`)).toEqual([]);
    }
  });

  test('finish a deletion that a dead server has begun, and leave one alone that goes on', async () => {
    const dead = await begin(here, { lease: { ...lease, until: 1 } });
    const alive = await begin(here, { lease: { ...lease, until: Date.now() + 60_000 } });
    for (const { thread } of [dead, alive]) await here.closeThread({ owner: ann, ref: { id: thread.id }, now: NOW });
    await there.purgeThread(null);
    const left = await queryDatabase(database.url, 'select key from polylogue.threads');
    expect(left).toEqual([{ key: alive.thread.key }]);
    expect((await append(here, { ends: [ending(alive.run, 2)] })).fenced).toEqual([]);
  });

  test('leave no connection behind when they close in the middle of work', async () => {
    const store = await openPostgresStore({ url: database.url, log });
    await Promise.all([here.close(), there.close()]);
    const work = Promise.all(Array.from({ length: 30 }, () => begin(store)));
    await store.close();
    expect(await work).toHaveLength(30);
    const ours = "from pg_stat_activity where application_name = 'polylogue' and datname = current_database()";
    await vi.waitUntil(async () => (await queryDatabase(database.url, `select pid ${ours}`)).length === 0);
  });

  test('hear of one another, not of themselves, and no more when the other is gone', async () => {
    const heard: string[] = [];
    const own: string[] = [];
    const stop = there.hints?.subscribe((subject) => heard.push(subject));
    here.hints?.subscribe((subject) => own.push(subject));
    const subjects = ['a run', 'thread default Jürgen 🦜', ...Array.from({ length: 500 }, () => newId())];
    await vi.waitUntil(
      () => {
        here.hints?.publish(subjects);
        return subjects.every((subject) => heard.includes(subject));
      },
      { timeout: 10_000 },
    );
    expect(own).toEqual([]);
    stop?.();
    heard.length = 0;
    there.hints?.publish(['back']);
    await vi.waitUntil(() => own.includes('back'));
    here.hints?.publish(['unheard']);
    await here.ping();
    expect(heard).toEqual([]);
  });
});

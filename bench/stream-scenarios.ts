import { bare, direct, ours, providerAlone, type StreamLoad } from './contestants.ts';
import type { Shape } from './load.ts';
import type { Protocol } from './protocols.ts';
import { type Contestant, runRounds } from './rounds.ts';
import { median, type Row, toRows } from './rows.ts';
import type { Bench, Findings, Scenario } from './scenario.ts';

const BURST: Shape = { streams: 64, questions: 24, tokens: 400, delayMs: 0, batch: 8, spreadMs: 0 };
const PACED: Shape = { streams: 500, questions: 2, tokens: 150, delayMs: 20, batch: 1, spreadMs: 3000 };
const MANY: Shape = { streams: 2000, questions: 1, tokens: 80, delayMs: 100, batch: 1, spreadMs: 4000 };
const SHORT: Shape = { streams: 4, questions: 1000, tokens: 20, delayMs: 1, batch: 20, spreadMs: 0 };
/** Settles the paths of single tokens in two seconds, and with few streams, so that the memory of many is measured and not warmed up. */
const SINGLE_TOKENS: Shape = { streams: 64, questions: 14, tokens: 150, delayMs: 0, batch: 1, spreadMs: 0 };

/** A provider that is not this much quicker than what is measured would be measured itself. */
const PROVIDER_MARGIN = 1.5;

/** The loads by their names; the smaller ones take less time. They are settled as long: V8 compiles no quicker for them. */
export const loads = {
  burst: (small: boolean): StreamLoad => ({
    shape: small ? { ...BURST, questions: 12 } : BURST,
    warmUp: { ...BURST, questions: 24 },
  }),
  paced: (small: boolean): StreamLoad => ({
    shape: small ? { ...PACED, streams: 200, questions: 1, spreadMs: 1000 } : PACED,
    warmUp: SINGLE_TOKENS,
  }),
  many: (small: boolean): StreamLoad => ({ shape: small ? { ...MANY, tokens: 30 } : MANY, warmUp: SINGLE_TOKENS }),
  short: (small: boolean): StreamLoad => ({
    shape: small ? { ...SHORT, questions: 200 } : SHORT,
    warmUp: SHORT,
  }),
};

/** The row of that name. */
export function rowOf(rows: readonly Row[], name: string): Row {
  const row = rows.find((one) => one.name === name);
  if (!row) throw new Error(`Nobody named ${name} was measured.`);
  return row;
}

function tokensOf({ streams, questions, tokens }: Shape): string {
  return (streams * questions * tokens).toLocaleString('en');
}

/** Runs the contestants, and makes what was found of their rows. */
export async function compare(
  bench: Bench,
  { contestants, yardstick = 'bare' }: { contestants: readonly Contestant[]; yardstick?: string },
  toFigures: (rows: readonly Row[]) => Findings['figures'],
): Promise<Findings> {
  const rows = toRows(await runRounds(contestants, bench), yardstick);
  return { rows, figures: toFigures(rows), notes: [], strangers: Math.max(...rows.map(({ strangers }) => strangers)) };
}

/** The server's row: of the first door when there are several. */
const first = (rows: readonly Row[], { dialects }: Bench) => rowOf(rows, dialects[0] ?? 'chat-sessions');

const warmed = (load: StreamLoad) => `Each process was fresh and settled with ${tokensOf(load.warmUp)} tokens before.`;

const burst: Scenario = {
  name: 'burst',
  what: '64 streams x 400 tokens, as fast as they go, 8 tokens a write',
  async run(bench) {
    const load = loads.burst(bench.small);
    const contestants = [
      providerAlone(bench, load),
      direct(bench, load),
      bare(bench, load),
      ...bench.dialects.map((dialect) => ours(bench, load, dialect)),
    ];
    const found = await compare(bench, { contestants }, (rows) => ({
      cpu: first(rows, bench).ratio,
      ...(bench.database && { database: first(rows, bench).databaseRatio }),
    }));
    const alone = rowOf(found.rows, 'provider alone').tokensPerSecond;
    const quickest = Math.max(
      ...found.rows.filter(({ name }) => !['provider alone', 'direct'].includes(name)).map((row) => row.tokensPerSecond),
    );
    const margin = `The provider alone writes ${(alone / quickest).toFixed(1)} times what the quickest target takes`;
    const verdict =
      alone >= PROVIDER_MARGIN * quickest ? 'no bottleneck' : `A BOTTLENECK: less than ${PROVIDER_MARGIN} times, tokens/s are no result`;
    return { ...found, notes: [`${margin}: ${verdict}.`, warmed(load)] };
  },
};

const paced: Scenario = {
  name: 'paced',
  what: '500 streams x 150 tokens, 50 tokens/s each',
  async run(bench) {
    const load = loads.paced(bench.small);
    const contestants = [direct(bench, load), bare(bench, load), ...bench.dialects.map((dialect) => ours(bench, load, dialect))];
    const found = await compare(bench, { contestants }, (rows) => {
      const [own, floor] = [first(rows, bench), rowOf(rows, 'direct')];
      return {
        cpu: own.ratio,
        ...(bench.database && { database: own.databaseRatio }),
        firstP50: own.firstP50 - floor.firstP50,
        firstP99: own.firstP99 - floor.firstP99,
        gapP99: own.gapP99 - floor.gapP99,
        peakRss: own.peakRssMb,
      };
    });
    return { ...found, notes: [warmed(load)] };
  },
};

const many: Scenario = {
  name: 'many',
  what: '2,000 streams at 10 tokens/s',
  async run(bench) {
    const load = loads.many(bench.small);
    const contestants = [direct(bench, load), bare(bench, load), ...bench.dialects.map((dialect) => ours(bench, load, dialect))];
    const found = await compare(bench, { contestants }, (rows) => {
      const own = first(rows, bench);
      return { cpu: own.ratio, rssPerStream: ((own.peakRssMb - own.idleRssMb) * 1e6) / 1024 / load.shape.streams };
    });
    return { ...found, notes: ['Every stream was complete.', warmed(load)] };
  },
};

/** The doors that answer a question as a whole. */
const WHOLE: readonly Protocol[] = ['chat-sessions-whole', 'graph-invoke', 'user-chat'];

const short: Scenario = {
  name: 'short',
  what: 'a request of 20 tokens, not streamed, 4 clients; the provider takes a millisecond',
  async run(bench) {
    const load = loads.short(bench.small);
    const doors = bench.dialects.length > 1 ? WHOLE : WHOLE.slice(0, 1);
    const contestants = [
      direct(bench, load, 'openai-whole'),
      bare(bench, load, 'openai-whole'),
      ...doors.map((dialect) => ours(bench, load, dialect)),
    ];
    const found = await compare(bench, { contestants }, (rows) => {
      const own = rowOf(rows, 'chat-sessions-whole');
      return { cpu: own.ratio, answerP50: own.answerRatio };
    });
    return { ...found, notes: [warmed(load)] };
  },
};

const webSocket: Scenario = {
  name: 'web-socket',
  what: 'paced through chat-ws, against the same through chat-sessions',
  async run(bench) {
    const load = loads.paced(bench.small);
    const contestants = [ours(bench, load, 'chat-sessions'), ours(bench, load, 'chat-ws')];
    return compare(bench, { contestants, yardstick: 'chat-sessions' }, (rows) => ({ cpu: rowOf(rows, 'chat-ws').ratio }));
  },
};

const doors: Scenario = {
  name: 'doors',
  what: 'burst through every door that streams',
  async run(bench) {
    const load = loads.burst(bench.small);
    const all: readonly Protocol[] = ['chat-sessions', 'graph', 'levia', 'native', 'chat-ws'];
    const contestants = all.map((dialect) => ours(bench, load, dialect));
    const found = await compare(bench, { contestants, yardstick: 'chat-sessions' }, (rows) => {
      const ratios = rows.map(({ ratio }) => ratio);
      return { spread: Math.max(...ratios) / Math.min(...ratios), middle: median(ratios) };
    });
    return { ...found, notes: [warmed(load)] };
  },
};

export const streamScenarios: readonly Scenario[] = [burst, paced, many, short, webSocket, doors];

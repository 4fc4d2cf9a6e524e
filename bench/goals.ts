/** Which data the server keeps where. */
export type StoreKind = 'embedded' | 'postgres';

/** What a figure should be, on either store; null where a store has none. */
export interface Goal {
  readonly scenario: string;
  readonly figure: string;
  readonly label: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
  readonly embedded: number | null;
  readonly postgres: number | null;
  readonly stretch: number | null;
}

const less = (
  [scenario, figure, label, unit]: readonly [string, string, string, string],
  [embedded, postgres, stretch]: readonly [number | null, number | null, number | null],
): Goal => ({ scenario, figure, label, unit, better: 'less', embedded, postgres, stretch });

const more = (...given: Parameters<typeof less>): Goal => ({ ...less(...given), better: 'more' });

/** What the product promises itself, with authentication, stored messages and commit-then-deliver on. `x bare`: against the relay of the same rounds. */
export const goals: readonly Goal[] = [
  less(['burst', 'cpu', 'burst, CPU per token', 'x bare'], [0.95, 0.95, 0.85]),
  less(['burst', 'database', "burst, the database's CPU per token", 'x bare'], [null, 0.15, null]),
  less(['paced', 'cpu', 'paced, CPU per token', 'x bare'], [1.15, 1.2, 1]),
  less(['paced', 'database', "paced, the database's CPU per token", 'x bare'], [null, 0.35, null]),
  less(['paced', 'firstP50', 'paced, first token p50 over direct', 'ms'], [3, 4, 2]),
  less(['paced', 'firstP99', 'paced, first token p99 over direct', 'ms'], [45, 60, 25]),
  less(['paced', 'gapP99', 'paced, gap between tokens p99 over direct', 'ms'], [15, 18, 10]),
  less(['paced', 'peakRss', 'paced, RSS at 500 streams', 'MB'], [180, 180, 130]),
  less(['many', 'cpu', 'many, CPU per token', 'x bare'], [1.2, 1.2, null]),
  less(['many', 'rssPerStream', 'many, RSS per live stream', 'KiB'], [64, 64, 32]),
  more(['capacity', 'streams', 'one core holds at 50 tokens/s each, first-token goal kept', 'streams'], [600, 500, 800]),
  less(['idle', 'webSocket', 'idle, RSS per WebSocket', 'KiB'], [12, 12, 9]),
  less(['idle', 'eventStream', 'idle, RSS per SSE reader', 'KiB'], [16, 16, 12]),
  less(['start', 'idleRss', 'server idle RSS', 'MB'], [110, 110, 85]),
  less(['start', 'ready', 'built `npm start` to the first 200 on /ready', 's'], [1.2, 1.5, 0.6]),
  less(['fan-out', 'cpu', 'fan-out, CPU per delivered token', 'x bare'], [0.4, 0.4, 0.3]),
  less(['short', 'answerP50', 'short, p50', 'x bare'], [2, 2.5, 1.5]),
  less(['short', 'cpu', 'short, CPU', 'x bare'], [2.5, 3, 2]),
  less(['web-socket', 'cpu', 'WebSocket against own SSE, CPU per token', 'x SSE'], [1.1, 1.1, 1]),
  less(['doors', 'spread', 'doors, the dearest against the cheapest', 'x'], [1.1, 1.1, null]),
  less(['slow-sync', 'firstP50', 'fsync of 5 ms, first token p50', 'ms'], [30, 30, null]),
  less(['slow-sync', 'gapP99', 'fsync of 5 ms, gap between tokens p99 over direct', 'ms'], [15, 18, null]),
];

/** How a value stands to its goal. */
export function judge(goal: Goal, store: StoreKind, value: number): 'missed' | 'kept' | 'stretch' | 'none' {
  const within = (bound: number) => (goal.better === 'less' ? value <= bound : value >= bound);
  const bound = goal[store];
  if (bound === null) return 'none';
  if (!within(bound)) return 'missed';
  return goal.stretch !== null && within(goal.stretch) ? 'stretch' : 'kept';
}

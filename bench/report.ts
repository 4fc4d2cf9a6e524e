import { type Goal, goals, judge, type StoreKind } from './goals.ts';
import { NOISE } from './rounds.ts';
import type { Row } from './rows.ts';
import type { Findings } from './scenario.ts';

/** What a scenario has found on one store, as it is saved. */
export interface Result extends Findings {
  readonly scenario: string;
  readonly what: string;
  readonly store: StoreKind;
  readonly rounds: number;
  readonly small: boolean;
  /** RFC 3339. */
  readonly date: string;
  readonly machine: string;
  readonly command: string;
  /** False when strangers have disturbed it: then the numbers are none. */
  readonly quiet: boolean;
}

const VERDICTS = { missed: '**MISSED**', kept: 'kept', stretch: 'kept, stretch too', none: '' } as const;
export const STORES = { embedded: 'embedded store', postgres: 'PostgreSQL' } as const;

/** So many digits that three of them say something. */
function digits(value: number): string {
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

const ROW_HEAD = [
  ...['target', 'CPU s/Mtok', 'x yardstick', '+ database', 'main / workers / V8', 'tokens/s', 'first p50 / p99 ms', 'gap p99 ms'],
  ...['answer p50 ms', 'RSS before / peak MB', 'load took', 'strangers'],
];

function cellsOf(row: Row): readonly string[] {
  return [
    row.name,
    digits(row.perMillion),
    Number.isNaN(row.ratio) ? '' : row.ratio.toFixed(2),
    Number.isNaN(row.databaseRatio) ? '' : row.databaseRatio.toFixed(2),
    `${digits(row.main)} / ${digits(row.workers)} / ${digits(row.other)}`,
    Math.round(row.tokensPerSecond).toLocaleString('en'),
    `${row.firstP50.toFixed(1)} / ${row.firstP99.toFixed(0)}`,
    row.gapP99.toFixed(1),
    row.answerP50.toFixed(1),
    `${row.idleRssMb.toFixed(0)} / ${row.peakRssMb.toFixed(0)}`,
    row.harness.toFixed(2),
    `${(row.strangers * 100).toFixed(0)} %`,
  ];
}

const goalsOf = (scenario: string) => goals.filter((goal) => goal.scenario === scenario);
const bound = (value: number | null) => value?.toLocaleString('en') ?? '';

function figuresTable({ scenario, store, figures }: Result): string {
  const own = goalsOf(scenario);
  const judged = own.flatMap((goal) => {
    const value = figures[goal.figure];
    if (value === undefined) return [];
    return [[goal.label, `${digits(value)} ${goal.unit}`, bound(goal[store]), bound(goal.stretch), VERDICTS[judge(goal, store, value)]]];
  });
  const others = Object.entries(figures).filter(([name]) => !own.some(({ figure }) => figure === name));
  const told = others.map(([name, value]) => [`${scenario}, ${name}`, digits(value), '', '', '']);
  return judged.length + told.length === 0 ? '' : table(['figure', 'value', 'goal', 'stretch', ''], [...judged, ...told]);
}

/** What a person reads: no numbers when the machine was not quiet, unless they are wanted all the same. */
export function writeResult(result: Result, showNoisy: boolean): string {
  const { scenario, what, store, rows, notes, strangers, quiet, rounds, small } = result;
  const share = `${(strangers * 100).toFixed(0)} %`;
  const head = `\n${scenario}, ${STORES[store]}: ${what}${small ? ' (small)' : ''}\n\n`;
  const noise = `NO RESULT: others used up to ${share} of a processor, ${NOISE * 100} % is the most that is allowed.\n`;
  if (!quiet && !showNoisy) return `${head}${noise}`;
  const parts = [
    ...(rows.length > 0 ? [table(ROW_HEAD, rows.map(cellsOf))] : []),
    figuresTable(result),
    [...notes, `Medians of ${rounds} rounds.`, quiet ? `Others used at most ${share} of a processor.` : noise].join('\n'),
  ];
  return `${head}${parts.filter((part) => part !== '').join('\n')}\n`;
}

function valueOn(store: StoreKind, goal: Goal, results: readonly Result[]): string {
  const last = results.findLast((result) => result.store === store && result.scenario === goal.scenario && result.quiet && !result.small);
  const value = last?.figures[goal.figure];
  if (value === undefined) return '';
  return judge(goal, store, value) === 'missed' ? `**${digits(value)}**` : digits(value);
}

/** The README's table: every goal, and the newest quiet result of each. */
export function writeGoals(results: readonly Result[]): string {
  const last = results.at(-1);
  if (!last) throw new Error('There are no results to make a table of.');
  const rows = goals.map((goal) => {
    const wanted = [goal.embedded, goal.postgres].map(bound).filter((text) => text !== '');
    const goalText = [...new Set(wanted)].join(', ') + (goal.stretch === null ? '' : ` (${bound(goal.stretch)})`);
    return [`${goal.label} [${goal.unit}]`, valueOn('embedded', goal, results), valueOn('postgres', goal, results), goalText];
  });
  const head = ['', 'embedded store', 'PostgreSQL', 'goal (stretch)'];
  const days = [...new Set(results.map(({ date }) => date.slice(0, 10)))].toSorted();
  const when = days.length > 1 ? `${days[0]} to ${days.at(-1)}` : days[0];
  return `Measured ${when} on ${last.machine}, by \`npm run bench -- --store both\`. Bold: goal missed.\n\n${table(head, rows)}`;
}

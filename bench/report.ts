import type { Measurement } from './measure.ts';
import type { StreamScenario } from './scenarios.ts';

const NOISE = 0.1;

/** A target's medians over all rounds. */
export interface Row {
  readonly name: string;
  /** CPU seconds for a million tokens. */
  readonly perMillion: number;
  /** Against the bare relay in the same round. */
  readonly ratio: number;
  readonly databaseRatio: number;
  readonly tokensPerSecond: number;
  readonly firstP50: number;
  readonly firstP99: number;
  readonly gapP99: number;
  readonly answerP50: number;
  readonly peakRssMb: number;
  readonly idleRssMb: number;
  /** The worst round's share of a processor that strangers used. */
  readonly strangers: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
}

const perToken = ({ cpuSeconds, result }: Measurement) => cpuSeconds / result.tokens;

export function toRow(name: string, own: readonly Measurement[], bare: readonly Measurement[]): Row {
  const of = (pick: (one: Measurement, yardstick: Measurement | undefined) => number) => median(own.map((one, at) => pick(one, bare[at])));
  const against = (value: number, yardstick: Measurement | undefined) => (yardstick ? value / perToken(yardstick) : Number.NaN);
  return {
    name,
    perMillion: of((one) => perToken(one) * 1e6),
    ratio: of((one, yardstick) => against(perToken(one), yardstick)),
    databaseRatio: of((one, yardstick) => against(one.databaseSeconds / one.result.tokens, yardstick)),
    tokensPerSecond: of(({ result }) => result.tokens / (result.wallMs / 1000)),
    firstP50: of(({ result }) => result.first.p50),
    firstP99: of(({ result }) => result.first.p99),
    gapP99: of(({ result }) => result.gap.p99),
    answerP50: of(({ result }) => result.answer.p50),
    peakRssMb: of(({ peakRssBytes }) => peakRssBytes / 1e6),
    idleRssMb: of(({ idleRssBytes }) => idleRssBytes / 1e6),
    strangers: Math.max(...own.map(({ strangers }) => strangers)),
  };
}

/** A Markdown table; rows of rounds in which others used the machine are no result, and say so. */
export function writeTable(scenario: StreamScenario, rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const cells = [
      row.name,
      row.perMillion.toFixed(1),
      row.ratio.toFixed(2),
      row.databaseRatio.toFixed(2),
      Math.round(row.tokensPerSecond).toLocaleString('en'),
      `${row.firstP50.toFixed(1)} / ${row.firstP99.toFixed(0)}`,
      row.gapP99.toFixed(1),
      row.answerP50.toFixed(1),
      `${row.idleRssMb.toFixed(0)} / ${row.peakRssMb.toFixed(0)}`,
      row.strangers > NOISE ? `NOISY: ${(row.strangers * 100).toFixed(0)} %` : `${(row.strangers * 100).toFixed(0)} %`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const head =
    '| target | CPU s/Mtok | x bare | + database | tokens/s | first p50 / p99 ms | gap p99 ms | answer p50 ms | RSS before / peak MB | strangers |';
  return `\n${scenario.name}: ${scenario.what}\n\n${head}\n|${' --- |'.repeat(10)}\n${lines.join('\n')}\n`;
}

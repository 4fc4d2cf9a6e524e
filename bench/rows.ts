import type { Measurement } from './measure.ts';
import type { Measurements } from './rounds.ts';

/** A contestant's medians over all rounds. */
export interface Row {
  readonly name: string;
  /** CPU seconds for a million tokens, of the whole process tree and by kinds of threads. */
  readonly perMillion: number;
  readonly main: number;
  readonly workers: number;
  readonly other: number;
  /** CPU for a token against the yardstick in the same round; NaN without one. */
  readonly ratio: number;
  readonly databaseRatio: number;
  readonly tokensPerSecond: number;
  /** Milliseconds. */
  readonly firstP50: number;
  readonly firstP99: number;
  readonly gapP99: number;
  readonly answerP50: number;
  readonly answerRatio: number;
  readonly peakRssMb: number;
  readonly idleRssMb: number;
  /** Processors that provider and readers took. */
  readonly harness: number;
  /** The worst round's share of a processor that strangers took. */
  readonly strangers: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return (low + high) / 2;
}

const perToken = ({ cpuSeconds, result }: Measurement) => cpuSeconds / result.tokens;

/** One row for everybody, divided by the one with the yardstick's name. */
export function toRows(measurements: Measurements, yardstick: string): readonly Row[] {
  const measure = measurements.get(yardstick) ?? [];
  return [...measurements].map(([name, own]) => toRow(name, own, measure));
}

function toRow(name: string, own: readonly Measurement[], yardstick: readonly Measurement[]): Row {
  const of = (pick: (one: Measurement) => number) => median(own.map(pick));
  const against = (pick: (one: Measurement) => number, unit: (one: Measurement) => number) =>
    median(own.flatMap((one, round) => (yardstick[round] ? [pick(one) / unit(yardstick[round])] : [])));
  const million = (seconds: number, { result }: Measurement) => (seconds / result.tokens) * 1e6;
  return {
    name,
    perMillion: of((one) => million(one.cpuSeconds, one)),
    main: of((one) => million(one.threads.main, one)),
    workers: of((one) => million(one.threads.workers, one)),
    other: of((one) => million(one.threads.other, one)),
    ratio: against(perToken, perToken),
    databaseRatio: against(({ databaseSeconds, result }) => databaseSeconds / result.tokens, perToken),
    tokensPerSecond: of(({ result }) => result.tokens / (result.wallMs / 1000)),
    firstP50: of(({ result }) => result.first.p50),
    firstP99: of(({ result }) => result.first.p99),
    gapP99: of(({ result }) => result.gap.p99),
    answerP50: of(({ result }) => result.answer.p50),
    answerRatio: against(
      ({ result }) => result.answer.p50,
      ({ result }) => result.answer.p50,
    ),
    peakRssMb: of(({ peakRssBytes }) => peakRssBytes / 1e6),
    idleRssMb: of(({ idleRssBytes }) => idleRssBytes / 1e6),
    harness: of(({ harness }) => harness),
    strangers: Math.max(...own.map(({ strangers }) => strangers)),
  };
}

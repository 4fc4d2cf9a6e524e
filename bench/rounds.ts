import type { Measurement } from './measure.ts';

/** More of a processor than this for strangers, and a measurement is no result. */
export const NOISE = 0.1;
/** How many measurements of a scenario may be done again. */
const REPEATS = 3;

/** Others use the machine so much that there will be no result. */
export class MachineBusy extends Error {
  /** The share of a processor that strangers took. */
  readonly strangers: number;
  constructor(strangers: number) {
    super('Others use the machine.');
    this.strangers = strangers;
  }
}

/** Somebody who is measured in every round, each time in a fresh process. */
export interface Contestant {
  readonly name: string;
  /** The first round is enough: nothing is divided by it. */
  readonly once?: boolean;
  measure(): Promise<Measurement>;
}

/** How rounds are driven. */
export interface RoundSetting {
  readonly rounds: number;
  /** Whether measurements that others have disturbed count as good ones. */
  readonly acceptNoise: boolean;
  /** Told what is repeated and why. */
  readonly say: (line: string) => void;
}

/** A contestant's measurements, one a round. */
export type Measurements = ReadonlyMap<string, readonly Measurement[]>;

/**
 * Measures everybody in turn, round after round, so that a change of the machine meets all alike. What strangers have disturbed is measured
 * again at once; rejects with `MachineBusy` when that happens too often.
 */
export async function runRounds(contestants: readonly Contestant[], setting: RoundSetting): Promise<Measurements> {
  const measurements = new Map<string, Measurement[]>(contestants.map(({ name }) => [name, []]));
  const quietly = createQuietRepeater(setting);
  for (let round = 1; round <= setting.rounds; round += 1) {
    for (const { name, measure } of contestants.filter(({ once }) => round === 1 || once !== true)) {
      measurements.get(name)?.push(await quietly(`round ${round}, ${name}`, measure));
    }
  }
  return measurements;
}

/** Does something, and again when strangers took too much of the machine meanwhile; rejects with `MachineBusy` when that was too often. */
export function createQuietRepeater({ acceptNoise, say }: Pick<RoundSetting, 'acceptNoise' | 'say'>) {
  let left = REPEATS;
  return async <Done extends { readonly strangers: number }>(what: string, work: () => Promise<Done>): Promise<Done> => {
    for (;;) {
      const done = await work();
      if (acceptNoise || done.strangers <= NOISE) return done;
      say(`${what}: others used ${(done.strangers * 100).toFixed(0)} % of a processor${left > 0 ? '; once more' : ''}`);
      if (left === 0) throw new MachineBusy(done.strangers);
      left -= 1;
    }
  };
}

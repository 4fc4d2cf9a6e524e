import { direct, ours } from './contestants.ts';
import { goals } from './goals.ts';
import type { Measurement } from './measure.ts';
import { createQuietRepeater } from './rounds.ts';
import type { Bench, Scenario } from './scenario.ts';
import { loads } from './stream-scenarios.ts';

const STEPS = [300, 400, 500, 600, 700, 800, 900, 1000];
/** The 99th percentile of a single try is no verdict. */
const TRIES = 2;

const loadOf = (streams: number) => {
  const { shape, warmUp } = loads.paced(false);
  return { warmUp, shape: { ...shape, streams } };
};

function allowed({ store }: Bench, figure: 'firstP50' | 'firstP99'): number {
  return goals.find((goal) => goal.scenario === 'paced' && goal.figure === figure)?.[store] ?? Number.NaN;
}

/** Whether so many streams at 50 tokens/s begin within the goal, on one core; what was measured is said. */
async function holds(bench: Bench, streams: number, floor: Measurement): Promise<{ kept: boolean; strangers: number; line: string }> {
  const quietly = createQuietRepeater(bench);
  const { measure } = ours(bench, loadOf(streams), bench.dialects[0] ?? 'chat-sessions');
  for (let attempt = 1; ; attempt += 1) {
    const { result, cpuSeconds, strangers } = await quietly(`${streams} streams`, measure);
    const p50 = result.first.p50 - floor.result.first.p50;
    const p99 = result.first.p99 - floor.result.first.p99;
    const kept = p50 <= allowed(bench, 'firstP50') && p99 <= allowed(bench, 'firstP99');
    const core = (cpuSeconds / (result.wallMs / 1000)).toFixed(2);
    const line = `${streams} streams: first token p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(0)} ms later than direct, ${core} of the core on average`;
    bench.say(line);
    if (kept || attempt === TRIES) return { kept, strangers, line };
  }
}

export const capacity: Scenario = {
  name: 'capacity',
  what: 'how many streams at 50 tokens/s one core holds (server and store thread) while first tokens keep their goal, in steps of 100',
  async run(bench) {
    const floor = await createQuietRepeater(bench)('direct', direct(bench, loadOf(600)).measure);
    const lines: string[] = [];
    let streams = 0;
    let noise = floor.strangers;
    for (const step of bench.small ? STEPS.slice(0, 2) : STEPS) {
      const { kept, strangers, line } = await holds(bench, step, floor);
      lines.push(line);
      noise = Math.max(noise, strangers);
      if (!kept) break;
      streams = step;
    }
    return { rows: [], figures: { streams }, notes: lines, strangers: noise };
  },
};

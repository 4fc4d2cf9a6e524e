/** One thing that is not as promised. */
interface Problem {
  /** What sort of promise is broken; reports count by it. */
  readonly kind: string;
  readonly detail: string;
}

/** Collects what a proof finds. */
export interface Problems {
  add(kind: string, detail: string): void;
  /** Adds a problem unless the fact holds. */
  expect(holds: boolean, kind: string, detail: string): void;
  readonly list: readonly Problem[];
  /** How many problems of a kind there are. */
  count(kind: string): number;
}

export function createProblems(): Problems {
  const list: Problem[] = [];
  const add = (kind: string, detail: string) => void list.push({ kind, detail });
  return {
    add,
    expect: (holds, kind, detail) => (holds ? undefined : add(kind, detail)),
    list,
    count: (kind) => list.filter((problem) => problem.kind === kind).length,
  };
}

/** What every proof hands back. */
export interface ProofReport {
  readonly seed: number;
  readonly problems: Problems;
  /** What was done and measured. */
  readonly figures: Readonly<Record<string, number | string>>;
}

const SHOWN = 20;

/** The report in lines for people: the seed first, so that the same proof can be run again. */
export function describeReport({ seed, problems, figures }: ProofReport): string {
  const lines = [`seed ${seed}`, ...Object.entries(figures).map(([name, value]) => `${name} ${value}`)];
  for (const { kind, detail } of problems.list.slice(0, SHOWN)) lines.push(`BROKEN ${kind}: ${detail}`);
  if (problems.list.length > SHOWN) lines.push(`... and ${problems.list.length - SHOWN} more`);
  return lines.join('\n');
}

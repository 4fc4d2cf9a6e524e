import { expect } from 'vitest';
import { inParallel } from '../support/parallel.ts';
import { exchange, type RawAnswer, type RawRequest } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';

/** A request that must be refused. */
export interface Refusal {
  readonly name: string;
  /** Whose words the refusal has; `''` for those of addresses that belong to no dialect. */
  readonly dialect: string;
  readonly statuses: readonly number[];
  readonly request: RawRequest;
}

const MAX_SHOWN = 20;

/** Sends all of them and expects each to be refused with one of its statuses and in its dialect's words; `also` tells what else is wrong. */
export async function expectRefusals(
  url: string,
  refusals: readonly Refusal[],
  also: (answer: RawAnswer) => string | null = () => null,
): Promise<void> {
  const problems: string[] = [];
  await inParallel(refusals, 8, async ({ name, dialect, statuses, request }) => {
    const answer = await exchange(url, request);
    const status = statuses.includes(answer.status) ? null : `is ${answer.status}, not ${statuses.join(' or ')}`;
    for (const problem of [status, shapeProblem(dialect, answer), also(answer)]) {
      if (problem) problems.push(`${request.method} ${request.path.slice(0, 90)} with ${name} ${problem}: ${answer.body.slice(0, 150)}`);
    }
  });
  expect(problems.slice(0, MAX_SHOWN)).toEqual([]);
  expect(refusals.length).toBeGreaterThan(0);
}

import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/support/fake-clock.ts';
import { AppError, type ErrorCode } from '../../core/errors.ts';
import { createPatience } from './patience.ts';

const refusal = (code: ErrorCode = 'rate_limited', retryAfterSeconds?: number) =>
  new AppError(code, 'Too much', retryAfterSeconds === undefined ? {} : { retryAfterSeconds });

/** How many refusals it takes until patience ends. */
function refusalsUntilTheEnd(patience: (failure: AppError) => boolean, failure: AppError): number {
  for (let count = 1; count < 1_000; count += 1) if (!patience(failure)) return count;
  return Number.POSITIVE_INFINITY;
}

test.each(['rate_limited', 'run_limit'] as const)('%s ends it after twenty more refusals in the time to wait', (code) => {
  expect(refusalsUntilTheEnd(createPatience(createFakeClock()), refusal(code, 60))).toBe(21);
});

test('who waits as told may be refused for ever', () => {
  const clock = createFakeClock();
  const patience = createPatience(clock);
  for (let round = 0; round < 100; round += 1) {
    for (let frame = 0; frame < 20; frame += 1) expect(patience(refusal('rate_limited', 60))).toBe(true);
    clock.advance(60_000);
  }
});

test('a refusal that names no time means a second', () => {
  const clock = createFakeClock();
  const patience = createPatience(clock);
  for (let round = 0; round < 100; round += 1) {
    expect(patience(refusal('run_limit'))).toBe(true);
    clock.advance(1_000);
  }
  expect(refusalsUntilTheEnd(patience, refusal('run_limit'))).toBe(21);
});

test('other failures are nobody’s impatience', () => {
  const patience = createPatience(createFakeClock());
  for (const code of ['validation_failed', 'queue_full', 'scope_denied', 'overloaded'] as const) {
    expect(refusalsUntilTheEnd(patience, refusal(code, 60))).toBe(Number.POSITIVE_INFINITY);
  }
});

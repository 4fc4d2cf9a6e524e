import { AppError } from '../../core/errors.ts';

/** An agent that has done all that it may do in one run. */
export function stepLimitReached(limit: number, cause?: unknown): AppError {
  return new AppError('step_limit', `The agent stopped after ${limit} steps, which is all that it may take`, { cause });
}

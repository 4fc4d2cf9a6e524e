/** What a log may say of an error: its kind, its code and where it happened. Its message may quote a user or a provider, so it stays out. */
export interface LoggedError {
  readonly type: string;
  readonly code: string | null;
  readonly frames: readonly string[];
  readonly cause: LoggedError | null;
}

const MAX_CAUSES = 5;

/** Describes an error for the log without its message; anything else thrown is named by its type only. */
export function serializeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: `thrown ${typeof error}`, code: null, frames: [], cause: null };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const cause = error.cause === undefined || depth === MAX_CAUSES ? null : serializeError(error.cause, depth + 1);
  return { type: error.name, code, frames: framesOf(error), cause };
}

function framesOf(error: Error): readonly string[] {
  const stack = error.stack ?? '';
  const end = error.message === '' ? -1 : stack.indexOf(error.message);
  const frames = end < 0 ? stack : stack.slice(end + error.message.length);
  return frames
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim());
}

import { createContext, Script } from 'node:vm';

const scope: { run: (() => unknown) | null } = createContext({ run: null }) as { run: (() => unknown) | null };
const script = new Script('run()');
const TIMEOUT = 'ERR_SCRIPT_EXECUTION_TIMEOUT';

/**
 * What a function gives that must not take longer than this, or `too_slow`: what runs by the schema of a stranger may backtrack for years, and
 * nothing else runs meanwhile. Code of this process, in its own scope; only its time is bounded.
 */
export function withinTime<T>(ms: number, run: () => T): T | 'too_slow' {
  scope.run = run;
  try {
    return script.runInContext(scope, { timeout: ms }) as T;
  } catch (error) {
    // An error of that scope is none of this one's `Error`s.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === TIMEOUT) return 'too_slow';
    throw error;
  } finally {
    scope.run = null;
  }
}

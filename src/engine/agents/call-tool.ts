import type { Clock } from '../../core/ports/clock.ts';
import type { Observer } from '../../core/ports/observer.ts';
import { type Tool, type ToolContext, ToolError, type ToolOutcome } from '../../core/ports/tool.ts';
import type { JsonObject } from '../../core/thread.ts';

/** A call that tells of its progress may take this many times as long. */
const MAX_EXTENSION = 10;

export interface CallOptions {
  readonly clock: Clock;
  readonly observer: Pick<Observer, 'faulted' | 'toolReturned'>;
  /** The longest that a call may take without telling that its work goes on. */
  readonly callMs: number;
}

/**
 * Calls a tool and waits for its answer no longer than the call's time, even when it does not stop. What breaks in it is reported, and its
 * model is told no more than that. Rejects with the signal's reason.
 */
export async function callTool({ clock, observer, callMs }: CallOptions, tool: Tool, { args, context }: Call): Promise<ToolOutcome> {
  const late = new AbortController();
  const until = clock.elapsed() + callMs * MAX_EXTENSION;
  const timeout = () => late.abort();
  let cancelTimeout = clock.after(callMs, timeout);
  let ended = false;
  const progress = () => {
    if (ended) return;
    cancelTimeout();
    cancelTimeout = clock.after(Math.min(callMs, until - clock.elapsed()), timeout);
  };
  const signal = AbortSignal.any([context.signal, late.signal]);
  const aborted = whenAborted(signal);
  try {
    return await Promise.race([tool.call(args, { ...context, signal, progress }), aborted.promise]);
  } catch (error) {
    context.signal.throwIfAborted();
    if (late.signal.aborted) return failed(`The tool did not answer in time: it has ${Math.ceil(callMs / 1000)} seconds`);
    if (error instanceof ToolError) return failed(error.message);
    observer.faulted('tool call', error);
    return failed('The tool failed for a reason that the server has logged');
  } finally {
    ended = true;
    cancelTimeout();
    aborted.forget();
  }
}

interface Call {
  readonly args: JsonObject;
  readonly context: Omit<ToolContext, 'progress'>;
}

function failed(result: string): ToolOutcome {
  return { status: 'failed', result };
}

function whenAborted(signal: AbortSignal): { readonly promise: Promise<never>; forget(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  promise.catch(() => undefined);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return { promise, forget: () => signal.removeEventListener('abort', abort) };
}

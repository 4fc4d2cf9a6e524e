import type { ToolRequest } from '../../core/ports/agent-runtime.ts';
import type { EarlierCall } from './earlier-calls.ts';

const LEGAL_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The name of a call in its run, and what earlier attempts have done about it. */
export interface ClaimedCall {
  readonly callId: string;
  readonly earlier: EarlierCall | null;
}

/** Which call a request is: one that an earlier attempt knows, each at most once, or a new one. */
export type ClaimCall = (request: ToolRequest) => ClaimedCall;

interface ClaimOptions {
  readonly earlier: ReadonlyMap<string, EarlierCall>;
  /** Whether a node may be run again, in which requests that were answered before are made once more. */
  readonly replays: boolean;
  /** Whether a call of this tool may be made again without asking. */
  readonly repeatable: (name: string) => boolean;
}

/**
 * Gives every call of a run an id of its own, whatever the model calls it: hostile, empty or used twice. What an earlier attempt knows is found
 * by its id, name and arguments; in a node that is run again, whose model may give another id, calls that change something by name and
 * arguments alone.
 */
export function createCallClaims({ earlier, replays, repeatable }: ClaimOptions): ClaimCall {
  const used = new Set(earlier.keys());
  const claimed = new Set<string>();
  let made = 0;

  function known({ call_id, name, arguments: args }: ToolRequest): EarlierCall | null {
    const fits = (call: EarlierCall) => !claimed.has(call.callId) && call.name === name && (call.asked === args || call.called === args);
    const named = earlier.get(call_id);
    if (named && fits(named) && (replays || named.answer === null)) return named;
    if (!replays || repeatable(name)) return null;
    return [...earlier.values()].find((call) => call.inLastNode && fits(call)) ?? null;
  }

  function fresh(wanted: string): string {
    let id = wanted;
    while (!LEGAL_ID.test(id) || used.has(id)) {
      made += 1;
      id = `call_${made}`;
    }
    used.add(id);
    return id;
  }

  return (request) => {
    const found = known(request);
    if (found) claimed.add(found.callId);
    return found ? { callId: found.callId, earlier: found } : { callId: fresh(request.call_id), earlier: null };
  };
}

import { createFrameReader } from '../support/raw-frames.ts';
import { type Caller, get, NATIVE } from './doors.ts';
import type { Problems } from './report.ts';

/** A thread event as native shows it. */
export interface Fact {
  readonly type: string;
  readonly number: number;
  readonly message_id?: string;
  readonly answer_id?: string;
  readonly run_id?: string | null;
  readonly role?: string;
  readonly seq?: number;
  readonly status?: string;
}

const PATIENCE_MS = 300_000;

/** Reads a thread's facts from the first one on, as a device does that stays connected, until there are `until` of runs and messages; gives up after five minutes. */
export async function followFacts(
  { caller, threadId }: { caller: Caller; threadId: string },
  { until, problems }: { until: number; problems: Problems },
): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  const frames = createFrameReader();
  const enough = new AbortController();
  let counted = 0;
  const onBytes = (bytes: Buffer) => {
    for (const { id, event, data } of frames(bytes)) {
      const fact = JSON.parse(data) as Fact;
      problems.expect(id === String(fact.number) && event === fact.type, 'facts', `frame ${id} ${event} holds ${data}`);
      facts.push(fact);
      if (fact.type !== 'thread.changed') counted += 1;
    }
    if (counted >= until) enough.abort();
  };
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const { stopped, status } = await get(caller, `${NATIVE}/threads/${threadId}/events?after=0`, { onBytes, signal });
  problems.expect(
    stopped === 'cut' && counted === until,
    'facts',
    `thread ${threadId}: ${status} ${stopped} after ${counted} of ${until} facts`,
  );
  return facts;
}

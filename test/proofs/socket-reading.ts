import { WebSocket } from 'ws';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import type { ServerFrame } from '../support/chat-socket.ts';
import type { RawAnswer, RawReading } from '../support/raw-http.ts';
import type { Caller } from './doors.ts';
import type { StreamEnd } from './frame-meaning.ts';
import { PATIENCE_MS, type Reading } from './reading.ts';
import type { Problems } from './report.ts';

/** One answer that a client wants to see on a chat socket. */
export interface SocketTask {
  readonly caller: Caller;
  readonly threadId: string;
  /** The question, to ask it or to ask it again; null asks for the thread's history. */
  readonly ask: { readonly text: string; readonly key: string } | null;
  readonly runId: string | null;
  /** Null takes the first answer that comes. */
  readonly answerId: string | null;
  readonly problems: Problems;
}

export type SocketLimits = Omit<RawReading, 'onBytes'>;

/** Status codes under which other doors refuse the same. */
const REFUSALS: Readonly<Record<string, number>> = { queue_full: 429, idempotency_mismatch: 422, draining: 503, overloaded: 503 };

/** Query of the address at which a user's chat socket opens. */
export function socketQuery(user: string): string {
  return `?key=${DEVELOPMENT_KEY}&user_id=${user}`;
}

/** Reads one answer on a socket of its own up to its end. What came is told as an HTTP answer would tell it; `cutAfter` counts bytes of whole frames. */
export function readSocket(reading: Reading, task: SocketTask, limits: SocketLimits = {}): Promise<RawAnswer> {
  const socket = new WebSocket(`${task.caller.url.replace(/^http/, 'ws')}/chat/ws${socketQuery(task.caller.user)}`, {
    perMessageDeflate: false,
  });
  const answer = createSocketAnswer(reading, task, limits);
  let left = limits.cutAfter ?? Number.POSITIVE_INFINITY;
  return new Promise((resolve) => {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const signal = limits.signal === undefined ? patience : AbortSignal.any([limits.signal, patience]);
    const finish = (stopped: RawAnswer['stopped']) => {
      signal.removeEventListener('abort', cut);
      socket.removeAllListeners('message');
      socket.terminate();
      resolve({ ...answer.told(), stopped });
    };
    const cut = () => finish('cut');
    signal.addEventListener('abort', cut);
    socket.on('error', () => finish('broken'));
    socket.on('close', () => finish('broken'));
    socket.on('open', () => {
      const { ask, threadId } = task;
      const frame = ask
        ? { type: 'message', thread_id: threadId, content: ask.text, client_id: ask.key }
        : { type: 'history', thread_id: threadId };
      socket.send(JSON.stringify(frame));
      if (left === 0) cut();
    });
    socket.on('message', (data) => {
      const text = data.toString();
      left -= Buffer.byteLength(text);
      if (left < 0) return cut();
      if (answer.take(JSON.parse(text), text)) finish('complete');
    });
    if (signal.aborted) cut();
  });
}

function createSocketAnswer(reading: Reading, task: SocketTask, { onHead }: SocketLimits) {
  const { problems, threadId, ask } = task;
  let { runId, answerId } = task;
  let status = 0;
  let refusal = '';
  let retryAfter = 1;
  const head = () => ({
    status,
    headers: { 'x-thread-id': threadId, ...(runId !== null && { 'x-run-id': runId }), 'retry-after': String(retryAfter) },
  });

  function nameRun(id: string | undefined): void {
    status = 200;
    if (id !== undefined && runId !== null) problems.expect(id === runId, 'doubled', `chat-ws: run ${id} instead of ${runId}`);
    runId ??= id ?? null;
    onHead?.(head());
  }

  function takeToken({ job_id = '', id = '', at = Number.NaN, content = '' }: ServerFrame): void {
    if (runId !== null && job_id !== runId) return;
    if (runId === null) nameRun(job_id);
    answerId ??= id;
    problems.expect(id === answerId, 'doubled', `chat-ws: a token of answer ${id} instead of ${answerId}`);
    reading.takeAt(at, content);
  }

  function takeMessage({ id, role, content = '', status: how = 'completed' }: ServerFrame, text: string): boolean {
    if (role === 'user') problems.expect(ask === null, 'echo', `chat-ws: its own question comes back: ${text}`);
    // A greeting has its thread's id.
    if (role !== 'assistant' || id === threadId || (answerId !== null && id !== answerId)) return false;
    reading.finish(how as StreamEnd, text, content);
    return true;
  }

  function takeError({ job_id, code = '', retry_after = 1 }: ServerFrame, text: string): boolean {
    if (job_id !== undefined && job_id !== runId) return false;
    if (job_id !== undefined) reading.finish('failed', text, null);
    else {
      status = REFUSALS[code] ?? 400;
      refusal = text;
      retryAfter = retry_after;
    }
    return true;
  }

  return {
    /** Whether that was the end. */
    take(frame: ServerFrame, text: string): boolean {
      if (status === 0) status = 200;
      switch (frame.type) {
        case 'message_received':
          nameRun(frame.job_id);
          return false;
        case 'token':
          takeToken(frame);
          return false;
        case 'message':
          return takeMessage(frame, text);
        case 'error':
          return takeError(frame, text);
        default:
          return false;
      }
    },
    told: () => ({ ...head(), text: refusal }),
  };
}

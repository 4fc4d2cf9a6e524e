import type { AppError } from '../../core/errors.ts';
import type { RunId, ThreadId } from '../../core/ids.ts';
import type { Owner } from '../../core/principal.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { toAppError } from '../../http/request-error.ts';
import type { WebSocketConnection } from '../../http/web-socket-connection.ts';
import { toErrorFrame } from './translate.ts';

/** One user's open socket. */
export interface Chat extends Pick<DialectDeps, 'engine' | 'runStreams' | 'clock'> {
  readonly connection: WebSocketConnection;
  readonly owner: Owner;
  readonly onFault: (error: unknown) => void;
}

/** Sends a frame as soon as the client takes it. */
export async function say({ connection }: Pick<Chat, 'connection'>, frame: object): Promise<void> {
  if (connection.needsDrain) await connection.drained();
  connection.send(JSON.stringify(frame));
}

/** Does something for the client; a failure becomes an error frame, and what nobody expected is logged. Never rejects. */
export async function attempt(chat: Chat, task: () => Promise<void>, about: { threadId?: ThreadId; jobId?: RunId } = {}): Promise<void> {
  try {
    await task();
  } catch (error) {
    const failure: AppError = toAppError(error);
    if (failure.code === 'internal') chat.onFault(failure.cause ?? failure);
    await say(chat, toErrorFrame(failure, about));
  }
}

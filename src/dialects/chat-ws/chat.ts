import { AppError } from '../../core/errors.ts';
import type { Caller } from '../../core/principal.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { toAppError } from '../../http/request-error.ts';
import type { Outcome } from '../../http/socket-counts.ts';
import type { WebSocketConnection } from '../../http/web-socket-connection.ts';
import type { Patience } from './patience.ts';
import { toErrorFrame } from './translate.ts';
import type { FrameSubject } from './wire.ts';

const RETRY_MS = 500;

/** One user's open socket. */
export interface Chat extends Pick<DialectDeps, 'engine' | 'runStreams' | 'clock'> {
  readonly connection: WebSocketConnection;
  readonly owner: Caller;
  readonly patience: Patience;
  readonly onFault: (error: unknown) => void;
}

/** Sends a frame as soon as the client takes it. */
export async function say({ connection }: Pick<Chat, 'connection'>, frame: object): Promise<void> {
  if (connection.needsDrain()) await connection.drained();
  connection.send(JSON.stringify(frame));
}

/** Reads what the client is owed, as soon as the store can be reached. Rejects with the signal's reason when the socket closes before. */
export async function owed<T>({ clock, connection }: Pick<Chat, 'clock' | 'connection'>, read: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'overloaded')) throw error;
      await clock.sleep(RETRY_MS, connection.signal);
    }
  }
}

/**
 * Does something for the client; a failure becomes an error frame, and what nobody expected is logged. Closes the socket (1008) of a client
 * that goes on over its limits. Resolves with what came of it, and never rejects.
 */
export async function attempt(chat: Chat, task: () => Promise<void>, about: FrameSubject = {}): Promise<Outcome> {
  try {
    await task();
    return 'ok';
  } catch (error) {
    const failure: AppError = toAppError(error);
    if (chat.connection.signal.aborted && error === chat.connection.signal.reason) return failure.code;
    if (failure.code === 'internal') chat.onFault(failure.cause ?? failure);
    await say(chat, toErrorFrame(failure, about));
    if (!chat.patience(failure)) chat.connection.close(1008, failure.code);
    return failure.code;
  }
}

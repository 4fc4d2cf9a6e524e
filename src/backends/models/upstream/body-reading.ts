import type { IncomingMessage } from 'node:http';
import type { Deadline } from './deadline.ts';
import { directBodyOf, resume } from './plain-connection.ts';

/** How the reading of a body came to its end: at the body's own end, as far as was wanted, or by losing the connection. */
type ReadingEnd = { readonly lost: false } | { readonly lost: true; readonly cause: unknown };

/** Who takes a body's text, read by read. */
interface Taker {
  /** Reading goes on when what it gives resolves, at once when that is null. */
  take(text: string): Promise<unknown> | null;
  /** Nothing more is wanted. */
  enough(): boolean;
}

const LINGER_MS = 1000;

/**
 * Feeds a body as text, read by read, to a taker. Rejects only with what `take` or its promise throws, having closed the connection. When
 * enough is read, the rest may still arrive for a second, so that the connection can be used again.
 */
export function readText(response: IncomingMessage, taker: Taker, deadline: Deadline): Promise<ReadingEnd> {
  return new Promise((resolve, reject) => {
    const body = directBodyOf(response);
    let settled = false;
    const settle = (end: ReadingEnd) => {
      settled = true;
      resolve(end);
    };
    const fail = (error: unknown) => {
      settled = true;
      response.destroy();
      reject(error);
    };
    const goOn = () => {
      if (settled) return;
      deadline.hold(false);
      if (body) resume(body);
      else response.resume();
    };
    const waitFor = (held: Promise<unknown>) => {
      deadline.hold(true);
      if (body) body.held = true;
      else response.pause();
      held.then(goOn, fail);
    };
    const take = (text: string) => {
      if (settled) return;
      deadline.touch();
      try {
        const held = taker.take(text);
        if (taker.enough()) {
          // Nothing is left to wait with.
          held?.catch(fail);
          settle({ lost: false });
          linger(response);
        } else if (held !== null) waitFor(held);
      } catch (error) {
        fail(error);
      }
    };
    response.setEncoding('utf8');
    response.on('data', take);
    response.on('end', () => settled || settle({ lost: false }));
    response.on('error', (cause) => settled || settle({ lost: true, cause }));
    response.on('close', () => settled || settle({ lost: true, cause: new Error('connection closed') }));
    if (body) {
      body.take = take;
      resume(body);
    }
  });
}

/** Lets the rest of a body arrive for a second, so that its connection can be used again, then closes it. */
export function linger(response: IncomingMessage): void {
  const timer = setTimeout(() => response.destroy(), LINGER_MS);
  timer.unref();
  response.once('close', () => clearTimeout(timer));
}

/** Reads a body up to about `maxCharacters`; what lies behind them is not read and the connection closed. `whole` tells if all of it came. */
export async function readBounded(
  response: IncomingMessage,
  maxCharacters: number,
  deadline: Deadline,
): Promise<{ text: string; whole: boolean; cut: boolean }> {
  let text = '';
  let cut = false;
  const taker: Taker = {
    take(piece) {
      text += piece;
      cut = text.length > maxCharacters;
      if (cut) response.destroy();
      return null;
    },
    enough: () => cut,
  };
  const end = await readText(response, taker, deadline);
  return { text: cut ? text.slice(0, maxCharacters) : text, whole: !cut && !end.lost, cut };
}

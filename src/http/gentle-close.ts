import type { FastifyReply } from 'fastify';
import type { Clock } from '../core/ports/clock.ts';

const LISTENING_MS = 2_000;

/**
 * Makes the connection stay open for a moment behind the answer, so that a client which is still sending can read it: what is sent to a closed
 * connection is answered with a reset, and that takes away what the client has not read yet. What it sends is thrown away.
 */
export function closeGently(reply: FastifyReply, clock: Pick<Clock, 'after'>): void {
  const { socket } = reply.raw;
  if (!socket || reply.request.raw.complete) return;
  reply.request.raw.resume();
  socket.destroySoon = () => {
    socket.end();
    const cancel = clock.after(LISTENING_MS, () => socket.destroy());
    socket.once('close', cancel);
  };
}

import type { FastifyReply } from 'fastify';
import type { Clock } from '../core/ports/clock.ts';

const TICK_MS = 5_000;
/** After so many ticks in a row in which nothing more was handed to the network: 30 to 35 seconds. */
const STALL_TICKS = 6;

/** Breaks off a long answer of which its client takes nothing for half a minute: the connection, the file and the memory behind it are not its to keep. */
export function cutWhenStalled({ raw }: Pick<FastifyReply, 'raw'>, clock: Pick<Clock, 'every'>): void {
  let sent = -1;
  let stalledTicks = 0;
  const stop = clock.every(TICK_MS, async () => {
    const before = sent;
    sent = raw.socket?.bytesWritten ?? 0;
    stalledTicks = raw.writableLength > 0 && sent === before ? stalledTicks + 1 : 0;
    if (stalledTicks >= STALL_TICKS) raw.destroy();
  });
  raw.once('close', stop);
}

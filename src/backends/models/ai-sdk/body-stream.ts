import type { IncomingMessage } from 'node:http';
import type { ModelError } from '../../../core/ports/model-provider.ts';
import { linger } from '../upstream/body-reading.ts';
import type { Deadline } from '../upstream/deadline.ts';
import { tooLong } from '../upstream/failures.ts';
import { lost } from '../upstream/response.ts';
import { createEventBound } from './event-bound.ts';

const HIGH_WATER_BYTES = 64 * 1024;

interface BodyOptions {
  readonly deadline: Deadline;
  /** For one event of the stream. */
  readonly maxBytes: number;
  readonly onFailure: (error: ModelError) => void;
}

/**
 * A body as the web stream that the SDK reads, paused while 64 kB wait to be read. However it ends, the stream ends without an error, so that
 * nothing that came before is dropped; what was wrong goes to `onFailure` first. Cancelling it lets the connection go.
 */
export function bodyStream(response: IncomingMessage, { deadline, maxBytes, onFailure }: BodyOptions): ReadableStream<Uint8Array> {
  const bound = createEventBound(maxBytes);
  let open = true;

  function end(controller: ReadableStreamDefaultController<Uint8Array>, failure: ModelError | null): void {
    if (!open) return;
    open = false;
    if (failure !== null) onFailure(failure);
    controller.close();
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        response.on('data', (bytes: Buffer) => {
          if (!open) return;
          deadline.touch();
          if (bound.exceeds(bytes)) {
            end(controller, tooLong());
            response.destroy();
            return;
          }
          controller.enqueue(bytes);
          if ((controller.desiredSize ?? 0) <= 0) response.pause();
        });
        response.on('end', () => end(controller, null));
        response.on('error', (cause) => end(controller, lost(cause)));
        response.on('close', () => end(controller, lost(new Error('connection closed'))));
      },
      pull() {
        response.resume();
      },
      cancel() {
        open = false;
        response.resume();
        linger(response);
      },
    },
    { highWaterMark: HIGH_WATER_BYTES, size: (bytes) => bytes.byteLength },
  );
}

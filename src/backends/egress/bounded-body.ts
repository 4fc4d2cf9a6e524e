import { EgressError } from '../../core/ports/egress.ts';

interface Bounds {
  /** Of the body after decompression. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Called once, when nothing more will be read. */
  readonly onEnd: () => void;
}

/** The same bytes, read only as fast as they are taken, ending in an `EgressError` when there are too many or the server breaks off. */
export function boundedBody(body: ReadableStream<Uint8Array>, { maxBytes, signal, onEnd }: Bounds): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let bytes = 0;

  async function next() {
    try {
      return await reader.read();
    } catch (error) {
      onEnd();
      signal.throwIfAborted();
      throw new EgressError('destination_unreachable', 'The server broke off its answer.', error);
    }
  }

  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await next();
        if (done) {
          onEnd();
          controller.close();
          return;
        }
        bytes += value.byteLength;
        if (bytes <= maxBytes) return controller.enqueue(value);
        onEnd();
        const error = new EgressError('answer_too_large', 'The answer is larger than this server takes.');
        await reader.cancel(error);
        throw error;
      },
      cancel(reason) {
        onEnd();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

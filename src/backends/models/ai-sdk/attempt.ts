import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { type ChunkSink, type ModelEnd, ModelError } from '../../../core/ports/model-provider.ts';
import type { Connection } from '../upstream/connection.ts';
import { createDeadline, type Deadline, pauseFor } from '../upstream/deadline.ts';
import { type Failure, interrupted } from '../upstream/failures.ts';
import { createOutlet, held, type Outlet } from '../upstream/outlet.ts';
import { createQuote, type Quote } from '../upstream/redact.ts';
import type { Outcome } from '../upstream/retry.ts';
import { createPartReader } from './part-reader.ts';
import { sdkError } from './sdk-error.ts';
import { createTransport } from './transport.ts';
import { failureWith, mayPass } from './try-failure.ts';

interface Question {
  readonly options: LanguageModelV4CallOptions;
  /** The model over a way to send requests. */
  readonly model: (fetch: typeof globalThis.fetch) => LanguageModelV4;
  readonly sink: ChunkSink;
  readonly signal: AbortSignal;
}

/** Asks once. Rejects with the signal's reason or the sink's error; every failure of the provider is an outcome. */
export async function attempt(connection: Connection, { options, model, sink, signal }: Question): Promise<Outcome> {
  const deadline = createDeadline(signal, connection.timeouts);
  const transport = createTransport(connection, deadline);
  const outlet = createOutlet(sink, connection.limits.answerCharacters);
  const quote = createQuote(connection.endpoint.secrets);
  try {
    const { stream } = await translated(model(transport.fetch).doStream(options), quote);
    return { end: await readAnswer({ stream, outlet, quote, deadline }) };
  } catch (error) {
    transport.close();
    signal.throwIfAborted();
    if (!(error instanceof ModelError)) throw error;
    const { again, ...failure } = deadline.signal.aborted ? failureWith(error, false) : failureBehind(error, transport.failure());
    return { failure: { ...failure, again: again && !outlet.hasDelivered } };
  } finally {
    deadline.release();
  }
}

/** The transport knows why an answer is missing or ends too early; an error inside the answer speaks for itself. */
function failureBehind(error: ModelError, transported: Failure | null): Failure {
  const endsEarly = error.code === 'upstream_interrupted' || error.code === 'upstream_malformed';
  if (transported !== null && (transported.error === error || endsEarly)) return transported;
  return failureWith(error, mayPass(error));
}

interface Reading {
  readonly stream: ReadableStream<LanguageModelV4StreamPart>;
  readonly outlet: Outlet;
  readonly quote: Quote;
  readonly deadline: Deadline;
}

async function readAnswer({ stream, outlet, quote, deadline }: Reading): Promise<ModelEnd> {
  const parts = createPartReader(outlet, quote);
  const source = stream.getReader();
  try {
    while (true) {
      const { done, value } = await translated(source.read(), quote);
      deadline.signal.throwIfAborted();
      if (done) throw interrupted(new Error('no end of the answer'));
      const end = parts.take(value);
      const wait = held(outlet);
      if (wait !== null) await pauseFor(wait, deadline);
      if (end !== null) return end;
    }
  } finally {
    // A stream that failed rejects with what was thrown already.
    source.cancel().catch(() => undefined);
  }
}

/** Whatever the SDK rejects with is an error in our words. */
async function translated<T>(work: PromiseLike<T>, quote: Quote): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof ModelError ? error : sdkError(error, quote);
  }
}

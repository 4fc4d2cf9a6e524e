import { AppError } from '../../core/errors.ts';
import { DEMO_PROVIDER } from '../../core/fallback-model.ts';
import type { RunId } from '../../core/ids.ts';
import type { Usage } from '../../core/message.ts';
import type { Catalogue, CatalogueModel } from '../../core/ports/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { IdSource } from '../../core/ports/ids.ts';
import type { ChunkSink, ModelRequest } from '../../core/ports/model-provider.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { TokenCounter } from '../../core/ports/token-counter.ts';
import type { Limits } from '../limits/create-limits.ts';
import { modelNamed } from '../models.ts';
import { failureOf } from '../runs/endings.ts';
import { observedProvider } from '../runs/observed-provider.ts';
import { createTextIntake } from '../runs/text-intake.ts';
import type { PreviewPlaces } from './preview-places.ts';
import type { Preview, PreviewPrompt } from './prompts.ts';

interface PreviewPorts {
  readonly catalogue: Catalogue;
  readonly counter: TokenCounter;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly limits: Pick<Limits, 'message'>;
  readonly places: PreviewPlaces;
  /** The longest answer, in UTF-16 code units. */
  readonly answerChars: number;
}

/** Answers of the default model that nobody stores, under way in this process. */
export interface Previews {
  /** Asks as `Prompts.preview` says. */
  ask(text: string, call: Pick<PreviewPrompt, 'caller' | 'timeoutMs' | 'signal'>): Promise<Preview>;
  /** How many are under way. */
  readonly size: number;
  /** Takes no further ones. */
  startDraining(): void;
  /** Ends those that are under way. */
  stop(): void;
}

/** An execution like a run's, which the observer sees as one, but without a thread, a log and a second reader. */
export function createPreviews(ports: PreviewPorts): Previews {
  const { clock, limits, places } = ports;
  const stopping = new AbortController();
  let draining = false;
  let underWay = 0;

  const refuseWhenDraining = () => {
    if (draining) throw shuttingDown();
  };

  async function charged(text: string, { caller, timeoutMs, signal }: Parameters<Previews['ask']>[1]): Promise<Preview> {
    const model = modelNamed(ports.catalogue, null);
    const leave = await places.enter(caller);
    const timeout = new AbortController();
    const cancelTimeout = clock.after(timeoutMs, () => timeout.abort(new AppError('run_timeout', 'The answer took too long.')));
    try {
      const charge = await limits.message(caller);
      if (signal.aborted || draining) await charge.giveBack();
      else charge.keep();
      signal.throwIfAborted();
      refuseWhenDraining();
      const answer = await execute(ports, { model, text, signal: AbortSignal.any([signal, timeout.signal, stopping.signal]) });
      return { ...answer, model: model.provider === DEMO_PROVIDER ? DEMO_PROVIDER : model.name, rate: charge.state };
    } finally {
      cancelTimeout();
      leave();
    }
  }

  return {
    async ask(text, call) {
      refuseWhenDraining();
      underWay += 1;
      try {
        return await charged(text, call);
      } finally {
        underWay -= 1;
      }
    },
    get size() {
      return underWay;
    },
    startDraining() {
      draining = true;
    },
    stop: () => stopping.abort(shuttingDown()),
  };
}

interface Execution {
  readonly model: CatalogueModel;
  readonly text: string;
  readonly signal: AbortSignal;
}

async function execute(ports: PreviewPorts, execution: Execution): Promise<Pick<Preview, 'text' | 'tokens'>> {
  const { observer, clock, ids } = ports;
  const { model, signal } = execution;
  const run = { id: ids.uuid<RunId>(), model: model.name };
  const startedAt = clock.elapsed();
  observer.runStarted({ ...run, attempt: 1, queuedMs: 0 });
  const ended = (end: { status: 'completed' | 'failed' | 'cancelled'; code: string | null; usage: Usage | null }) =>
    observer.runEnded({ ...run, ...end, durationMs: Math.round(clock.elapsed() - startedAt) });
  try {
    const { text, usage } = await streamAnswer(ports, execution, run.id);
    ended({ status: 'completed', code: null, usage });
    return { text, tokens: usage ? usage.input_tokens + usage.output_tokens : await countTokens(ports.counter, [execution.text, text]) };
  } catch (cause) {
    const error: unknown = signal.aborted ? signal.reason : cause;
    const expected = error instanceof AppError;
    if (signal.aborted && !expected) {
      ended({ status: 'cancelled', code: null, usage: null });
      throw error;
    }
    const { code, detail } = failureOf(error, observer);
    ended({ status: 'failed', code, usage: null });
    throw expected ? error : new AppError('run_failed', detail, { cause: error });
  }
}

async function streamAnswer({ catalogue, observer, clock, answerChars }: PreviewPorts, { model, text, signal }: Execution, id: RunId) {
  const provider = catalogue.provider(model.provider);
  if (!provider) throw new AppError('model_unknown', `The provider of the model ${model.name} is no longer configured`);
  const intake = createTextIntake();
  const tooLong = new AbortController();
  const startedAt = clock.elapsed();
  let answer = '';
  let size = 0;
  const take: ChunkSink = (chunk) => {
    const piece = chunk.type === 'tool_call' ? chunk.arguments : chunk.text;
    size += piece.length;
    if (size > answerChars) return tooLong.abort(new AppError('run_failed', 'The answer is longer than this server takes.'));
    if (chunk.type !== 'text') return undefined;
    if (answer === '') observer.firstToken({ id, model: model.name, sinceStartMs: Math.round(clock.elapsed() - startedAt) });
    answer += intake.push(piece);
    return undefined;
  };
  const observed = observedProvider(provider, observer, { id, snapshot: { provider: model.provider } });
  const { usage } = await observed.stream(requestOf(model, text), take, AbortSignal.any([signal, tooLong.signal]));
  return { text: answer + intake.end(), usage };
}

function requestOf({ upstream, maxOutput }: CatalogueModel, text: string): ModelRequest {
  const messages = [{ role: 'user', parts: [{ type: 'text', text }] }] as const;
  return { model: upstream, messages, temperature: null, maxTokens: null, maxOutput };
}

async function countTokens(counter: TokenCounter, texts: readonly string[]): Promise<number> {
  await counter.load();
  let tokens = 0;
  for (const text of texts) tokens += await counter.count(text, Number.MAX_SAFE_INTEGER);
  return tokens;
}

function shuttingDown(): AppError {
  return new AppError('draining', 'The server is shutting down; send this again', { retryAfterSeconds: 5 });
}

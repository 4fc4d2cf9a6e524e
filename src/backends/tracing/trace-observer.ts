import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { RunId } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Observer } from '../../core/ports/observer.ts';

const nothing = () => undefined;
/** What belongs to no single run. */
const untraced = {
  flushed: nothing,
  delivered: nothing,
  flushFailed: nothing,
  refused: nothing,
  accessChanged: nothing,
  faulted: nothing,
};

/** Stored runs that have not started; beyond so many the oldest are forgotten, as they may have started in another process. */
const MAX_BEGUN = 10_000;

/** When storing the question and its run began and ended. */
interface Begun {
  readonly from: number;
  readonly to: number;
  readonly queued: boolean;
}

interface OpenRun {
  readonly span: Span;
  readonly calls: Map<number, Span>;
  ending: Span | null;
}

/**
 * Reports runs to whatever OpenTelemetry SDK the process has registered: a span `polylogue.run` for each execution, below it one for storing
 * the question (only where the process that executes also stored it), one for the wait in the thread's queue, one for every call of a model or a
 * tool and one for storing the end, with which the last text is delivered. Attributes follow the conventions for generative AI and never hold a text.
 * Without an SDK, or for a run that it does not sample, nothing is kept but when queued runs were stored.
 */
export function createTraceObserver(clock: Pick<Clock, 'now'>): Observer {
  const tracer = trace.getTracer('polylogue');
  const open = new Map<RunId, OpenRun>();
  const { take, ...begun } = createBegunRuns(clock);
  return {
    ...untraced,
    ...begun,
    runStarted({ id, model, attempt, queuedMs }) {
      const now = clock.now();
      const stored = take(id);
      // A run outlives the request that asked for it and may begin in the wake of another one, so it is a trace of its own.
      const attributes = { 'polylogue.run.id': id, 'polylogue.run.attempt': attempt, 'polylogue.run.queued_ms': queuedMs };
      // A run that another process stored did not start there, so it was queued. What a later attempt waited for was an earlier one's execution.
      const waited = attempt === 1 && stored?.queued !== false;
      const startTime = stored?.from ?? (attempt === 1 ? now - queuedMs : now);
      const span = tracer.startSpan('polylogue.run', {
        root: true,
        startTime,
        attributes: { ...attributes, 'gen_ai.request.model': model },
      });
      if (!span.isRecording()) return;
      const run: OpenRun = { span, calls: new Map(), ending: null };
      open.set(id, run);
      if (stored) childOf(run, tracer, { name: 'polylogue.begin', startTime }).end(stored.to);
      if (waited) childOf(run, tracer, { name: 'polylogue.wait', startTime: stored?.to ?? startTime }).end(now);
    },
    modelCalled({ id, call, provider, upstream }) {
      const run = open.get(id);
      const attributes = { 'gen_ai.provider.name': provider, 'gen_ai.request.model': upstream };
      run?.calls.set(call, childOf(run, tracer, { name: 'polylogue.model', kind: SpanKind.CLIENT, attributes }));
    },
    modelReturned({ id, call, code, usage }) {
      const run = open.get(id);
      const span = run?.calls.get(call);
      if (!span) return;
      if (usage) span.setAttributes(usageAttributes(usage));
      endSpan(span, code);
      run?.calls.delete(call);
    },
    toolReturned({ id, name, status, durationMs }) {
      const run = open.get(id);
      if (!run) return;
      const attributes = { 'gen_ai.tool.name': name, 'polylogue.tool.status': status };
      const span = childOf(run, tracer, { name: 'polylogue.tool', kind: SpanKind.CLIENT, startTime: clock.now() - durationMs, attributes });
      endSpan(span, status === 'completed' ? null : status);
    },
    firstToken: ({ id }) => void open.get(id)?.span.addEvent('first token'),
    runEnding({ id }) {
      const run = open.get(id);
      if (run) run.ending = childOf(run, tracer, { name: 'polylogue.flush' });
    },
    runEnded({ id, status, code, usage }) {
      const run = open.get(id);
      if (!run) return;
      open.delete(id);
      for (const call of run.calls.values()) endSpan(call, 'stopped');
      run.ending?.end();
      run.span.setAttributes({ 'polylogue.run.status': status, ...(usage ? usageAttributes(usage) : {}) });
      endSpan(run.span, status === 'failed' ? (code ?? 'failed') : null);
    },
  };
}

/** Remembers of stored runs when they were stored, until they start. */
function createBegunRuns(clock: Pick<Clock, 'now'>): Pick<Observer, 'runBegun' | 'runQueued'> & { take(id: RunId): Begun | undefined } {
  const begun = new Map<RunId, Begun>();
  return {
    runBegun({ id, storeMs }) {
      const to = clock.now();
      begun.set(id, { from: to - storeMs, to, queued: false });
      const [oldest] = begun.keys();
      if (begun.size > MAX_BEGUN && oldest !== undefined) begun.delete(oldest);
    },
    runQueued({ id }) {
      const stored = begun.get(id);
      if (stored) begun.set(id, { ...stored, queued: true });
    },
    take(id) {
      const stored = begun.get(id);
      begun.delete(id);
      return stored;
    },
  };
}

interface ChildSpan {
  readonly name: string;
  readonly kind?: SpanKind;
  /** Milliseconds since 1970; now unless given. */
  readonly startTime?: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

function childOf({ span }: OpenRun, tracer: Tracer, { name, ...options }: ChildSpan): Span {
  return tracer.startSpan(name, options, trace.setSpan(ROOT_CONTEXT, span));
}

function usageAttributes(usage: { readonly input_tokens: number; readonly output_tokens: number }) {
  return { 'gen_ai.usage.input_tokens': usage.input_tokens, 'gen_ai.usage.output_tokens': usage.output_tokens };
}

/** `code` is why it failed; null when it did not. */
function endSpan(span: Span, code: string | null): void {
  if (code !== null) span.setAttribute('error.type', code).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

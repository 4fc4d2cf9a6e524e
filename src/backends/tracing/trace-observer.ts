import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { RunId } from '../../core/ids.ts';
import type { Observer } from '../../core/ports/observer.ts';

const nothing = () => undefined;

interface OpenRun {
  readonly span: Span;
  readonly calls: Map<number, Span>;
  ending: Span | null;
}

/**
 * Reports runs to whatever OpenTelemetry SDK the process has registered: a span `polylogue.run` for each execution, below it one for every
 * model call and one for storing the end. Attributes follow the conventions for generative AI and never hold a text. Without an SDK, or for a
 * run that it does not sample, nothing is kept.
 */
export function createTraceObserver(): Observer {
  const tracer = trace.getTracer('polylogue');
  const open = new Map<RunId, OpenRun>();
  return {
    runQueued: nothing,
    runStarted({ id, model, attempt, queuedMs }) {
      // A run outlives the request that asked for it and may begin in the wake of another one, so it is a trace of its own.
      const attributes = { 'polylogue.run.id': id, 'polylogue.run.attempt': attempt, 'polylogue.run.queued_ms': queuedMs };
      const span = tracer.startSpan('polylogue.run', { root: true, attributes: { ...attributes, 'gen_ai.request.model': model } });
      if (span.isRecording()) open.set(id, { span, calls: new Map(), ending: null });
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
    flushed: nothing,
    delivered: nothing,
    flushFailed: nothing,
    refused: nothing,
    faulted: nothing,
  };
}

interface ChildSpan {
  readonly name: string;
  readonly kind?: SpanKind;
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

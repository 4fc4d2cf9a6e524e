import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from 'vitest';
import { createFakeClock } from '../../../test/support/fake-clock.ts';
import type { RunId } from '../../core/ids.ts';
import { systemClock } from '../clock/system-clock.ts';
import { createTraceObserver } from './trace-observer.ts';

const id = '018f0000-0000-7000-8000-000000000000' as RunId;

afterEach(() => trace.disable());

function attachSdk(): () => readonly ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  return () => exporter.getFinishedSpans();
}

const shape = ({ name, attributes, status, events }: ReadableSpan) => ({
  name,
  attributes,
  status: status.code,
  events: events.map((event) => event.name),
});

test("a tool's call is a span of its run, with its name, its time and how it ended", () => {
  const spans = attachSdk();
  const clock = createFakeClock();
  const observer = createTraceObserver(clock);
  observer.runStarted({ id, model: 'fast', attempt: 2, queuedMs: 0 });
  clock.advance(50);
  observer.toolReturned({ id, name: 'look', status: 'completed', durationMs: 30 });
  observer.toolReturned({ id, name: 'write', status: 'failed', durationMs: 0 });
  const [look, write] = spans();
  expect(look && shape(look)).toEqual({
    name: 'polylogue.tool',
    attributes: { 'gen_ai.tool.name': 'look', 'polylogue.tool.status': 'completed' },
    status: 0,
    events: [],
  });
  expect(look?.startTime).toEqual([1_700_000_000, 20_000_000]);
  expect(write?.status.code).toBe(2);
});

test('a run is a trace: the run, its model call, and the storing of its end', () => {
  const spans = attachSdk();
  const observer = createTraceObserver(systemClock);
  observer.runBegun({ id, model: 'fast', storeMs: 1 });
  observer.runStarted({ id, model: 'fast', attempt: 1, queuedMs: 3 });
  observer.modelCalled({ id, call: 1, provider: 'openai', upstream: 'gpt' });
  observer.firstToken({ id, model: 'fast', sinceStartMs: 5 });
  observer.modelReturned({ id, call: 1, code: null, usage: { input_tokens: 7, output_tokens: 2 } });
  observer.runEnding({ id });
  const usage = { input_tokens: 7, output_tokens: 2 };
  observer.runEnded({ id, model: 'fast', status: 'completed', code: null, usage, durationMs: 9 });
  const counted = { 'gen_ai.usage.input_tokens': 7, 'gen_ai.usage.output_tokens': 2 };
  expect(spans().map(shape)).toEqual([
    { name: 'polylogue.begin', attributes: {}, status: 0, events: [] },
    {
      name: 'polylogue.model',
      attributes: { 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt', ...counted },
      status: 0,
      events: [],
    },
    { name: 'polylogue.flush', attributes: {}, status: 0, events: [] },
    {
      name: 'polylogue.run',
      attributes: {
        'polylogue.run.id': id,
        'polylogue.run.attempt': 1,
        'polylogue.run.queued_ms': 3,
        'polylogue.run.status': 'completed',
        'gen_ai.request.model': 'fast',
        ...counted,
      },
      status: 0,
      events: ['first token'],
    },
  ]);
  const run = spans().at(-1);
  expect(run?.parentSpanContext).toBeUndefined();
  for (const child of spans().slice(0, 3)) expect(child.parentSpanContext?.spanId).toBe(run?.spanContext().spanId);
});

test('a run that waits in its thread shows how long, and how long storing its question took', () => {
  const spans = attachSdk();
  const clock = createFakeClock(1_700_000_000_000);
  const observer = createTraceObserver(clock);
  observer.runBegun({ id, model: 'fast', storeMs: 40 });
  observer.runQueued({ id, model: 'fast' });
  clock.advance(700);
  observer.runStarted({ id, model: 'fast', attempt: 1, queuedMs: 720 });
  clock.advance(100);
  observer.runEnded({ id, model: 'fast', status: 'completed', code: null, usage: null, durationMs: 100 });
  const timeOf = ([seconds, nanos]: readonly [number, number]) => seconds * 1000 + nanos / 1e6 - 1_700_000_000_000;
  const places = spans().map(({ name, startTime, endTime }) => [name, Math.round(timeOf(startTime)), Math.round(timeOf(endTime))]);
  expect(places.slice(0, 2)).toEqual([
    ['polylogue.begin', -40, 0],
    ['polylogue.wait', 0, 700],
  ]);
  expect(places.at(-1)?.slice(0, 2)).toEqual(['polylogue.run', -40]);
  const run = spans().at(-1);
  for (const child of spans().slice(0, 2)) expect(child.parentSpanContext?.spanId).toBe(run?.spanContext().spanId);
});

test('a queued run that another process stored shows its wait; a later attempt and one that starts at once have none', () => {
  const spans = attachSdk();
  const clock = createFakeClock(1_700_000_000_000);
  const observer = createTraceObserver(clock);
  const ended = { id, model: 'fast', status: 'completed', code: null, usage: null, durationMs: 1 } as const;
  observer.runStarted({ id, model: 'fast', attempt: 1, queuedMs: 500 });
  observer.runEnded(ended);
  observer.runStarted({ id, model: 'fast', attempt: 2, queuedMs: 9_000 });
  observer.runEnded(ended);
  observer.runBegun({ id, model: 'fast', storeMs: 1 });
  observer.runStarted({ id, model: 'fast', attempt: 1, queuedMs: 1 });
  observer.runEnded(ended);
  expect(spans().map(({ name }) => name)).toEqual([
    ...['polylogue.wait', 'polylogue.run'],
    'polylogue.run',
    ...['polylogue.begin', 'polylogue.run'],
  ]);
  expect(spans().map(({ startTime: [seconds, nanos] }) => Math.round(seconds * 1000 + nanos / 1e6 - 1_700_000_000_000))).toEqual([
    ...[-500, -500],
    0,
    ...[-1, -1],
  ]);
});

test('a run that fails says why, and leaves no span open', () => {
  const spans = attachSdk();
  const observer = createTraceObserver(systemClock);
  observer.runStarted({ id, model: 'fast', attempt: 2, queuedMs: 0 });
  observer.modelCalled({ id, call: 1, provider: 'openai', upstream: 'gpt' });
  observer.modelReturned({ id, call: 1, code: 'upstream_timeout', usage: null });
  observer.modelCalled({ id, call: 2, provider: 'openai', upstream: 'gpt' });
  observer.runEnded({ id, model: 'fast', status: 'failed', code: 'upstream_timeout', usage: null, durationMs: 9 });
  expect(spans().map(({ name, attributes, status }) => [name, attributes['error.type'], status.code])).toEqual([
    ['polylogue.model', 'upstream_timeout', 2],
    ['polylogue.model', 'stopped', 2],
    ['polylogue.run', 'upstream_timeout', 2],
  ]);
});

test('a cancelled run is no error', () => {
  const spans = attachSdk();
  const observer = createTraceObserver(systemClock);
  observer.runBegun({ id, model: 'fast', storeMs: 1 });
  observer.runStarted({ id, model: 'fast', attempt: 1, queuedMs: 0 });
  observer.runEnded({ id, model: 'fast', status: 'cancelled', code: null, usage: null, durationMs: 9 });
  expect(spans().map(({ attributes, status }) => [attributes['polylogue.run.status'], status.code])).toEqual([
    [undefined, 0],
    ['cancelled', 0],
  ]);
});

test('an SDK that is registered later sees the runs that start from then on, and none that started before', () => {
  const observer = createTraceObserver(systemClock);
  observer.runBegun({ id, model: 'early', storeMs: 1 });
  observer.runStarted({ id, model: 'early', attempt: 1, queuedMs: 0 });
  const spans = attachSdk();
  observer.runEnded({ id, model: 'early', status: 'completed', code: null, usage: null, durationMs: 1 });
  observer.runBegun({ id, model: 'late', storeMs: 1 });
  observer.runStarted({ id, model: 'late', attempt: 1, queuedMs: 0 });
  observer.runEnded({ id, model: 'late', status: 'completed', code: null, usage: null, durationMs: 1 });
  expect(spans().map(({ attributes }) => attributes['gen_ai.request.model'])).toEqual([undefined, 'late']);
});

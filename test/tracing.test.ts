import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import { answer, refuse, type Step, startUpstream } from './support/upstream.ts';

afterEach(() => trace.disable());

async function spansOf(script: readonly Step[]) {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  const upstream = await startUpstream(script);
  const app = await startTestApp({
    env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'cAnArY-key' },
    file: { models: { fast: { provider: 'openai', model: 'upstream-name' } }, defaultModel: 'fast' },
  });
  try {
    const body = { message: 'A cAnArY sings', user_id: 'cAnArY-user', thread_id: '01900000-0000-7000-8000-000000000001' };
    const response = await app.post('/api/v1/graph/stream', body);
    await response.text();
    return { spans: exporter.getFinishedSpans(), runId: response.headers.get('x-run-id') };
  } finally {
    await app.close();
    await upstream.close();
  }
}

test('with an SDK every run is a trace with its model call, and none of the texts', async () => {
  const { spans, runId } = await spansOf(answer(['The cAnArY', ' answers'], { usage: [7, 2] }));
  const run = spans.find(({ name }) => name === 'polylogue.run');
  expect(run?.attributes).toMatchObject({
    'polylogue.run.id': runId,
    'polylogue.run.status': 'completed',
    'gen_ai.request.model': 'fast',
    'gen_ai.usage.output_tokens': 2,
  });
  const call = spans.find(({ name }) => name === 'polylogue.model');
  expect(call?.attributes).toMatchObject({ 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'upstream-name' });
  expect(spans.map(({ name }) => name).sort()).toEqual(['polylogue.begin', 'polylogue.flush', 'polylogue.model', 'polylogue.run']);
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  expect(JSON.stringify(spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status })))).not.toContain(
    'cAnArY',
  );
});

test('a model call that fails is an error in its trace, without what the provider said', async () => {
  const { spans } = await spansOf(refuse(400, 'The cAnArY is not welcome'));
  expect(spans.map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
    ['polylogue.begin', undefined],
    ['polylogue.model', 'upstream_rejected'],
    ['polylogue.flush', undefined],
    ['polylogue.run', 'upstream_rejected'],
  ]);
  expect(JSON.stringify(spans.map(({ attributes, events, status }) => ({ attributes, events, status })))).not.toContain('cAnArY');
});

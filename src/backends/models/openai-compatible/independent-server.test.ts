import { LLMock } from '@copilotkit/aimock';
import { expect, test } from 'vitest';
import { createFakeClock } from '../../../../test/support/fake-clock.ts';
import { createOpenAiCompatibleProvider } from './provider.ts';

test('joins exactly what an independent OpenAI-compatible server streams', async () => {
  const fixture = 'Grüße 👩‍👩‍👧! "quoted"\n\n```ts\nconst a = `\\n`;\n```\n  data: [DONE]  \r\n\tend ';
  const server = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 3 });
  server.onMessage('hello', { content: fixture });
  await server.start();
  try {
    const provider = createOpenAiCompatibleProvider({ baseUrl: `${server.url}/v1`, apiKey: 'any', clock: createFakeClock() });
    let text = '';
    const end = await provider.stream(
      { model: 'gpt-4', messages: [{ role: 'user', parts: [{ type: 'text', text: 'hello' }] }], temperature: null, maxTokens: null },
      (chunk) => {
        if (chunk.type === 'text') text += chunk.text;
      },
      new AbortController().signal,
    );
    expect(text).toBe(fixture);
    expect(end.reason).toBe('stop');
    expect(end.usage?.output_tokens).toBeGreaterThan(0);
  } finally {
    await server.stop();
  }
});

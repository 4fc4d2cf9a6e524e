import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { runProgram } from './support/run-program.ts';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.token('ann');
});
afterAll(() => app.close());

const JSON_BODY = '-H "Content-Type: application/json" -d';

/** Runs a command as ann, with its `URL` filled in, and reads what it prints. */
async function curl(command: string): Promise<Record<string, unknown>> {
  const filled = `curl -sS ${command.replaceAll('URL', `${app.url}/api/chat/prompts`)} -H "Authorization: Bearer ${token}"`;
  const { code, stdout, stderr } = await runProgram(['sh', '-c', filled]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('the documented commands do, one after the other, what they say', async () => {
  const summarizer = {
    title: 'Text Summarizer',
    content: 'Summarize the following text: {text}',
    scenario: 'summarization',
    description: 'Generates concise summaries',
  };
  const made = await curl(`-X POST ${JSON_BODY} '${JSON.stringify(summarizer)}' URL`);
  expect(made).toEqual({
    id: expect.any(Number),
    ...summarizer,
    metadata: {},
    is_template: false,
    usage_count: 0,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    updated_at: made.created_at,
  });
  const listed = await curl('-X GET "URL?scenario=summarization&page=1&page_size=20"');
  expect(listed).toMatchObject({ items: [made, { is_template: true, scenario: 'summarization' }], total: 2, page: 1, page_size: 20 });
  const variables = { text: 'Sample text to summarize' };
  const preview = await curl(`-X POST ${JSON_BODY} '${JSON.stringify({ prompt_id: made.id, variables })}' URL/preview`);
  expect(preview).toEqual({
    preview: expect.stringContaining('Summarize the following text: Sample text to summarize'),
    tokens_used: expect.any(Number),
    model_used: 'demo',
  });
  const changed = await curl(`-X PUT ${JSON_BODY} '{"title": "Updated Title", "content": "Updated content"}' URL/${made.id}`);
  expect(changed).toMatchObject({
    id: made.id,
    title: 'Updated Title',
    content: 'Updated content',
    scenario: 'summarization',
    usage_count: 1,
  });
  expect(await curl(`-X DELETE URL/${made.id}`)).toEqual({ message: 'Prompt deleted successfully' });
  expect(await curl(`-X GET URL/${made.id}`)).toMatchObject({ detail: 'Prompt not found' });
});

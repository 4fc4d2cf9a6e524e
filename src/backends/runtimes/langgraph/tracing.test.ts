import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { runProgram } from '../../../../test/support/run-program.ts';

let requests = 0;
const server = createServer((_request, response) => {
  requests += 1;
  response.end('{}');
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
const SCRIPT = `
import { createLangGraphRuntime } from ${at('index.ts')};
import { agentTask, scriptedProvider } from ${at('../../../../test/support/agent-tasks.ts')};
const module = new URL(${at('../../../../examples/custom-graph/graph.ts')}).pathname;
const { provider } = scriptedProvider([{ type: 'text', text: 'Hi' }]);
const run = agentTask({ agent: { name: 'notes', module }, provider });
await createLangGraphRuntime().run(run.task);
process.stdout.write(JSON.stringify(run.story));`;

test('nothing is sent to LangSmith, whatever the environment says', async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : null;
  const env = {
    LANGSMITH_TRACING: 'true',
    LANGCHAIN_TRACING_V2: 'true',
    LANGSMITH_API_KEY: 'key',
    LANGSMITH_ENDPOINT: `http://127.0.0.1:${port}`,
  };
  // The program ends by itself when it has sent what it had to send.
  const { code, stdout } = await runProgram([process.execPath, '--input-type=module', '--eval', SCRIPT], { env });
  expect([code, stdout]).toEqual([0, '["> read","> chat","Hi"]']);
  expect(requests).toBe(0);
});

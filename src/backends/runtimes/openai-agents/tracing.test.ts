import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runProgram } from '../../../../test/support/run-program.ts';

const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
const SCRIPT = `
import { getGlobalTraceProvider } from '@openai/agents';
import { createOpenAiAgentsRuntime } from ${at('index.ts')};
import { agentTask, scriptedProvider } from ${at('../../../../test/support/agent-tasks.ts')};
const asked = [];
globalThis.fetch = async (url) => {
  asked.push(String(url));
  return new Response('{}');
};
const module = new URL(${at('../../../../examples/openai-agent/agent.mjs')}).pathname;
const { provider } = scriptedProvider([{ type: 'text', text: 'Hi' }]);
const run = agentTask({ agent: { name: 'shop', module }, provider });
await createOpenAiAgentsRuntime().run(run.task);
await getGlobalTraceProvider().forceFlush();
process.stdout.write(JSON.stringify([run.story, asked]));
process.exit();`;

test('nothing is sent to OpenAI, whatever the environment says', async () => {
  const env = { OPENAI_API_KEY: 'key' };
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const { code, stdout, stderr } = await runProgram([process.execPath, '--input-type=module', '--eval', SCRIPT], { cwd, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual([['> reception', 'Hi'], []]);
});

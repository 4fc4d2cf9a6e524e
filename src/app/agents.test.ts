import { afterAll, expect, test } from 'vitest';
import { createModuleFolder } from '../../test/support/agent-modules.ts';
import type { AgentConfig } from '../config/agents.ts';
import { checkModules, openAgents } from './agents.ts';

const modules = createModuleFolder();
afterAll(modules.remove);

test.each([
  ['that waits for ever', 'await new Promise(() => {});'],
  ['that looks like a promise which never ends', 'export function then() {}'],
])('a module %s keeps a server from starting, and is named', async (_name, text) => {
  const module = modules.write(`${text}\nexport const graph = null;`);
  const definition = { runtime: 'langgraph', module } as AgentConfig['definition'];
  const after = (_ms: number, callback: () => void) => {
    const timer = setTimeout(callback, 50);
    return () => clearTimeout(timer);
  };
  const checked = checkModules({ agents: { definitions: [{ name: 'slow', definition }] } }, openAgents().runtimes, { after });
  await expect(checked).rejects.toThrow(`The agent slow of the settings cannot be used: ${module} was not loaded within 60 seconds`);
});

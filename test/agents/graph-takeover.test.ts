import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createModuleFolder } from '../support/agent-modules.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { createTestDatabase, findTestServer } from '../support/test-database.ts';

const SECRET = 'b7f04c9d2e6a4815a3c0d9f17e5b8264';

let clean: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of clean.reverse()) await step();
  clean = [];
});

/** A graph whose second node stops in its middle until there is a file, and whose nodes note that they run. */
function slowGraph(directory: string): string {
  const at = (name: string) => JSON.stringify(join(directory, name));
  return `import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
const note = (name) => appendFileSync(${at('ran')}, name + ' ');
async function first() {
  note('first');
  return { messages: [new AIMessage('One.')] };
}
async function second(_state, { writer }) {
  note('second');
  writer(' Half');
  while (!existsSync(${at('go')})) await sleep(20);
  writer(' and half.');
}
export const graph = new StateGraph(MessagesAnnotation)
  .addNode('first', first).addNode('second', second)
  .addEdge(START, 'first').addEdge('first', 'second').addEdge('second', END);`;
}

type Event = Readonly<Record<string, unknown>> & { readonly type: string };

async function eventsOf(server: ServerProcess, run: string): Promise<readonly Event[]> {
  const response = await server.send(`/polylogue/v1/runs/${run}/events?wait=false`);
  return JSON.parse(await response.text()).data;
}

const textOf = (events: readonly Event[]) => events.map((event) => (event.type === 'text.appended' ? String(event.text) : '')).join('');

const postgres = await findTestServer();

/** What goes on with a run when its server is dead: the same one started again, or another one on the same database. */
test.for(['is started again', 'has another one beside it'])(
  'a graph that was killed in the middle of a node goes on with that node when its server %s',
  { timeout: 120_000 },
  async (after, { skip }) => {
    const alone = after === 'is started again';
    if (!alone && postgres === null) skip();
    const modules = createModuleFolder();
    const module = modules.write(slowGraph(modules.directory));
    const { directory, remove } = await createServerDirectory({ agents: { definitions: { slow: { runtime: 'langgraph', module } } } });
    const database = alone ? null : await createTestDatabase(postgres ?? '');
    clean.push(async () => database?.drop(), remove, modules.remove);
    const start = async () => {
      const server = await startServerProcess({ directory, env: database ? { DATABASE_URL: database.url, JWT_SECRET_KEY: SECRET } : {} });
      clean.push(() => server.stop('SIGKILL'));
      return server;
    };

    const dying = await start();
    const beside = database && (await start());
    const thread = JSON.parse(await (await dying.post('/polylogue/v1/threads', {})).text()).id;
    const response = await dying.post(`/polylogue/v1/threads/${thread}/runs`, { text: 'Go', agent: 'slow' });
    const { id: run } = JSON.parse(await response.text());
    await expect.poll(async () => textOf(await eventsOf(dying, run)), { timeout: 60_000 }).toBe('One. Half');
    await dying.stop('SIGKILL');
    expect(readFileSync(join(modules.directory, 'ran'), 'utf8')).toBe('first second ');

    writeFileSync(join(modules.directory, 'go'), '');
    const living = beside ?? (await start());
    await expect.poll(async () => (await eventsOf(living, run)).at(-1)?.type, { timeout: 90_000 }).toBe('run.completed');
    const events = await eventsOf(living, run);
    expect(events.flatMap(({ type, name }) => (type === 'text.appended' ? [] : [name ?? type]))).toEqual([
      'run.started',
      'first',
      'second',
      'run.restarted',
      'second',
      'run.completed',
    ]);
    expect(textOf(events)).toBe('One. Half and half.');
    expect(events.at(-1)).toMatchObject({ message: { parts: [{ type: 'text', text: 'One. Half and half.' }] } });
    expect(readFileSync(join(modules.directory, 'ran'), 'utf8')).toBe('first second second ');
  },
);

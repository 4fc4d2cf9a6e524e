import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../src/backends/clock/system-clock.ts';
import { loadConfig } from '../src/config.ts';
import { eventsOf, nativeTextOf } from './support/chat-clients.ts';
import { runProgram } from './support/run-program.ts';
import { bareEnvironment, type ServerProcess, startServerProcess } from './support/server-process.ts';
import { copyWorkingTree } from './support/working-copy.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const scripts: Record<string, string> = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')).scripts;

function blocksOf(language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block ?? '');
}

let directory: string;
let remove: () => Promise<void>;
let server: ServerProcess;

/** Starts the copy of the project as the README says. */
async function npmStart(settings: object | null = null): Promise<void> {
  ({ directory, remove } = await copyWorkingTree(settings));
  await startAgain();
}

async function startAgain(): Promise<void> {
  server = await startServerProcess({ directory, command: ['npm', 'start'] });
}

afterEach(async () => {
  await server?.stop();
  await remove?.();
});

describe('a block', () => {
  beforeEach(() => npmStart());

  const blocks = blocksOf('bash').map((block) => [
    /\/(?:levia\/chat|polylogue\/v1|v1\/chat\/stream|chat\/ws|api\/v1\/graph|api\/user123)/.exec(block)?.[0] ?? block,
    block,
  ]);

  test.each(blocks)('about %s prints an answer, as it stands, against a fresh start', async (_name, block = '') => {
    expect(block).toContain('http://localhost:8000');
    const own = block.replaceAll('http://localhost:8000', server.url);
    const { code, stdout, stderr } = await runProgram(['bash', '-c', own], { cwd: directory, env: bareEnvironment() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const shown = stdout.startsWith('{') ? stdout.trimEnd().split('\n') : eventsOf(stdout).map(({ data }) => data);
    expect(shown.join('')).toMatch(/built-in demo model/);
    expect(shown.at(-1)).toMatch(/^\[DONE\]$|"run\.completed"|"type":"complete"|"type":"message"|"success":true/);
  });
});

describe('npm start', () => {
  test('ends with 0 on SIGTERM, and the stream under way gets its whole answer', async () => {
    await npmStart();
    const { run, stream } = await startRun('Tell me a story');
    const [text, code] = await Promise.all([stream, server.stop()]);
    expect(code).toBe(0);
    expect(nativeTextOf(text)).toContain('> Tell me a story');
    await startAgain();
    expect(await (await server.send(`/polylogue/v1/runs/${run.id}/events`)).text()).toBe(text);
  });

  test('past the drain time ends the stream with its last frame, and answers what waited after the next start', async () => {
    await npmStart({ limits: { drainSeconds: 1 } });
    const { run, stream } = await startRun('/long 2000');
    const queued = await ask(run.thread_id, 'Who is next?');
    expect(queued.status).toBe('queued');
    const [text, code] = await Promise.all([stream, server.stop()]);
    expect(code).toBe(0);
    expect(eventsOf(text).at(-1)).toMatchObject({ event: 'run.failed', data: expect.stringContaining('"interrupted"') });
    await startAgain();
    expect(nativeTextOf(await (await server.send(`/polylogue/v1/runs/${queued.id}/events`)).text())).toContain('> Who is next?');
  });

  async function ask(thread: string, text: string) {
    return JSON.parse(await (await server.post(`/polylogue/v1/threads/${thread}/runs`, { text })).text());
  }

  /** Starts a run and its stream, and returns when the first words are on their way. */
  async function startRun(text: string) {
    const thread = JSON.parse(await (await server.post('/polylogue/v1/threads', {})).text());
    const run = await ask(thread.id, text);
    const response = await server.send(`/polylogue/v1/runs/${run.id}/events`);
    await systemClock.sleep(100);
    return { run, stream: response.text() };
  }
});

describe('what the README names', () => {
  test('is a block for each of the six doors', () => expect(blocksOf('bash')).toHaveLength(6));

  test('exists: every npm script', () => {
    const named = [...readme.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('is every environment variable that the server reads', () => {
    const read = new Set<string>();
    const env = new Proxy<Record<string, string>>({}, { get: (_target, name) => void read.add(String(name)) });
    loadConfig({ env, cwd: '/', readFile: () => null });
    const table = readme.slice(readme.indexOf('| variable |'), readme.indexOf('More models'));
    const rows = table.split('\n').map((row) => row.split('|')[1] ?? '');
    const named = rows.flatMap((cell) => [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name ?? ''));
    expect(named.toSorted()).toEqual([...read].toSorted());
  });

  test('is a configuration that the server takes', () => {
    const [file = ''] = blocksOf('json');
    const config = loadConfig({ env: { GROQ_API_KEY: 'any' }, cwd: '/', readFile: () => file });
    expect(config.defaultModel).toBe('fast');
    expect(config.models).toMatchObject([{ name: 'fast', provider: 'groq' }]);
  });

  test('has the defaults that it tells', () => {
    const { port, host, dataDir, logLevel, limits } = loadConfig({ env: {}, cwd: '/here', readFile: () => null });
    expect(readme).toContain(`| \`PORT\`, \`HOST\` | ${port}, ${host} |`);
    expect(readme).toContain(`| \`LOG_LEVEL\` | ${logLevel} |`);
    expect(readme).toContain(`running answers get ${limits.drainSeconds} s`);
    expect(dataDir).toBe('/here/data');
  });
});

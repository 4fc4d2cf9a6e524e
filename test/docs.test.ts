import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doors } from '../src/app.ts';
import { configSchema } from '../src/config/config-schema.ts';
import { loadConfig } from '../src/config.ts';
import { eventsOf, nativeTextOf } from './support/chat-clients.ts';
import { misfits } from './support/json-schema.ts';
import { runProgram } from './support/run-program.ts';
import { bareEnvironment, type ServerProcess, startServerProcess } from './support/server-process.ts';
import { settingsTable } from './support/settings-table.ts';
import { copySources, copyWorkingTree } from './support/working-copy.ts';

/** What a newcomer has from nothing to the first words of an answer. */
const NEWCOMER_MS = 60_000;

const folder = new URL('../docs/', import.meta.url);
const names = (await readdir(folder)).filter((name) => name.endsWith('.md'));
const pages = new Map(await Promise.all(names.map(async (name) => [name, await readFile(new URL(name, folder), 'utf8')] as const)));

function blocksOf(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block ?? '');
}

const withBlocks = [...pages].filter(([, text]) => blocksOf(text, 'bash').length > 0).map(([name]) => name);
const doorPages = doors.map(({ name }) => `${name}.md`);

/** The data of a stream's frames joined, or an answer that is none as it stands. */
function shownBy(answer: string): string {
  if (answer.startsWith('{')) return answer;
  return eventsOf(answer)
    .map(({ data }) => data)
    .join('');
}

/** A fresh copy of the project, started as the pages say. */
async function npmStart(copy = copyWorkingTree): Promise<{
  server: ServerProcess;
  run: (block: string) => ReturnType<typeof runProgram>;
  end: () => Promise<void>;
}> {
  const { directory, remove } = await copy();
  const server = await startServerProcess({ directory, command: ['npm', 'start'] }).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    server,
    run: (block) =>
      runProgram(['bash', '-c', block.replaceAll('http://localhost:8000', server.url)], { cwd: directory, env: bareEnvironment() }),
    async end() {
      await server.stop();
      await remove();
    },
  };
}

describe.each(withBlocks)('docs/%s', (name) => {
  let started: Awaited<ReturnType<typeof npmStart>>;
  beforeAll(async () => {
    started = await npmStart();
  }, NEWCOMER_MS);
  afterAll(() => started.end());

  test(
    'has blocks that run as they stand, each for itself, on a fresh start',
    async () => {
      for (const block of blocksOf(pages.get(name) ?? '', 'bash')) {
        const { code, stdout, stderr } = await started.run(block);
        expect({ block, code, said: stderr.replace(/^This is the key .*\n/gm, '') }).toEqual({ block, code: 0, said: '' });
        expect(stdout.trim(), block).not.toBe('');
        if (doorPages.includes(name)) expect(shownBy(stdout), block).toContain('built-in demo model');
      }
    },
    NEWCOMER_MS,
  );
});

test(
  'a newcomer who has the files, starts the server and runs the first command of its page sees tokens come',
  async () => {
    const { server, run, end } = await npmStart(copySources);
    const page = await (await fetch(`${server.url}/`)).text();
    const [, block = ''] = /<pre[^>]*><code>(.*?)<\/code><\/pre>/s.exec(page) ?? [];
    const command = block.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
    const { code, stdout } = await run(command);
    await end();
    const events = eventsOf(stdout).map(({ event }) => event);
    expect({ code, text: nativeTextOf(stdout), end: events.at(-1) }).toEqual({
      code: 0,
      text: expect.stringContaining('built-in demo model'),
      end: 'run.completed',
    });
    expect(events.filter((event) => event === 'text.appended').length).toBeGreaterThan(3);
  },
  NEWCOMER_MS,
);

describe('the pages', () => {
  test('are one for each door, and each begins with a block', () => {
    expect(names).toEqual(expect.arrayContaining([...doorPages, 'README.md']));
    for (const name of doorPages) expect((pages.get(name) ?? '').indexOf('```bash')).toBeLessThan(300);
  });

  test('are all in the index, and link to nothing that is not there', async () => {
    for (const [name, text] of pages) {
      for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        await expect(readFile(new URL(target, new URL(name, folder)), 'utf8'), `${name} → ${target}`).resolves.not.toBe('');
      }
    }
    const index = pages.get('README.md') ?? '';
    expect(names.filter((name) => name !== 'README.md' && !index.includes(`](${name})`))).toEqual([]);
  });

  test('show configurations that the server takes', () => {
    for (const name of ['configuration.md', 'limits.md', 'tools.md']) {
      const [file = ''] = blocksOf(pages.get(name) ?? '', 'json');
      expect(misfits(JSON.parse(JSON.stringify(configSchema)), JSON.parse(file))).toEqual([]);
      expect(() => loadConfig({ env: { GROQ_API_KEY: 'any', WIKI_TOKEN: 'any' }, cwd: '/', readFile: () => file })).not.toThrow();
    }
  });

  test('tell every setting of the file as its schema describes it', () => {
    expect(pages.get('configuration.md')).toContain(settingsTable(configSchema));
  });
});

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { runProgram } from './support/run-program.ts';
import { bareEnvironment, createServerDirectory, startServerProcess } from './support/server-process.ts';

const DIST = new URL('../dist/', import.meta.url).href;

/** Loads what a start loads, and prints the packages and the parts of Node.js that came along. */
const SCRIPT = `
import { registerHooks } from 'node:module';
const packages = new Set();
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const name = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(found.url)?.[1];
    if (name) packages.add(name);
    return found;
  },
});
for (const module of ['cli/run-command.js', 'cli/start.js', 'app.js']) await import('${DIST}' + module);
const parts = process.moduleLoadList.filter((name) => name.endsWith('undici'));
process.stdout.write(JSON.stringify([...packages, ...parts]));
process.exit();
`;

let clean: () => Promise<void> = async () => {};
afterEach(() => clean());

test('a start loads nothing that only commands, some settings or some requests need', async () => {
  const command: [string, ...string[]] = [process.execPath, '--input-type=module', '--eval', SCRIPT];
  const { code, stdout } = await runProgram(command, { cwd: fileURLToPath(DIST), env: bareEnvironment() });
  const loaded: readonly string[] = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(loaded).toContain('fastify');
  expect(loaded).toContain('ajv');
  const late =
    /^(typebox|commander|kysely|pg|gpt-tokenizer|@ai-sdk\/.*|@langchain\/.*|langsmith|@openai\/.*|openai|zod|@modelcontextprotocol\/.*|htmlparser2|@hyzyla\/pdfium|@fastify\/(swagger-ui|static)|.*undici)$/;
  expect(loaded.filter((name) => late.test(name))).toEqual([]);
});

test.skipIf(process.platform !== 'linux')(
  'a server runs with bounded young generations, under the id that it was started with',
  async () => {
    const { directory, remove } = await createServerDirectory();
    const server = await startServerProcess({ directory });
    clean = async () => {
      await server.stop();
      await remove();
    };
    const [program, ...args] = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').split('\0');
    expect(program).toBe(process.execPath);
    expect(args[0]).toBe('--max-semi-space-size=4');
    expect(await server.stop()).toBe(0);
  },
);

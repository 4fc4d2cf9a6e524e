import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Report {
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly unknown[] }[];
  readonly summary: { readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[] };
}

/** Runs the project's own rules on the `src` of a directory. */
function cruise(directory: string): Report {
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [bin, 'src', '--config', join(root, '.dependency-cruiser.mjs'), '--output-type', 'json'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Report;
}

const MAX_LINES = 300;

/** Files of a house that are too long to be read in one go; the linter counts the lines of functions only. */
function longFiles(house: string): readonly string[] {
  const files = ['src', 'test'].flatMap((top) =>
    readdirSync(join(house, top), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name)),
  );
  const linesOf = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n').length;
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return paths.filter((path) => linesOf(path) > MAX_LINES).map((path) => relative(house, path));
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polylogue-walls-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** The smallest house in which every zone has something to import. */
const HOUSE = {
  'src/core/thread.ts': "import type { RunId } from './ids.ts';\nexport interface Thread { readonly run: RunId }\n",
  'src/core/ids.ts': 'export type RunId = string;\n',
  'src/engine/index.ts': "import type { Thread } from '../core/thread.ts';\nexport interface Engine { find(): Thread }\n",
  'src/engine/runs/start.ts': "import type { Thread } from '../../core/thread.ts';\nexport const start = (thread: Thread) => thread;\n",
  'src/http/sse.ts': "import type { Engine } from '../engine/index.ts';\nexport const sse = (engine: Engine) => engine;\n",
  'src/dialects/levia/index.ts': "import { sse } from '../../http/sse.ts';\nexport const levia = sse;\n",
  'src/dialects/graph/index.ts': "import type { Engine } from '../../engine/index.ts';\nexport const graph = (engine: Engine) => engine;\n",
  'src/backends/stores/sql/query.ts':
    "import type { Thread } from '../../../core/thread.ts';\nexport const query = (thread: Thread) => thread;\n",
  'src/backends/stores/sqlite/store.ts': "import { query } from '../sql/query.ts';\nexport const store = query;\n",
  'src/backends/stores/postgres/store.ts': "import { query } from '../sql/query.ts';\nexport const store = query;\n",
  'src/backends/clock/clock.ts': 'export const clock = 1;\n',
  'src/agents/writer.ts': "import type { Thread } from '../core/thread.ts';\nexport const writer = (thread: Thread) => thread;\n",
  'src/app.ts':
    "import { store } from './backends/stores/sqlite/store.ts';\nimport { levia } from './dialects/levia/index.ts';\nimport { start } from './engine/runs/start.ts';\nexport const app = [store, levia, start];\n",
  'test/support/server.ts': 'export const server = 1;\n',
};

test('a house that keeps the rules has no violation, and every file of it was read', () => {
  write(HOUSE);
  const { modules, summary } = cruise(directory);
  expect(summary.violations).toEqual([]);
  expect(modules.map(({ source }) => source).toSorted()).toEqual(
    Object.keys(HOUSE)
      .filter((path) => path.startsWith('src/'))
      .toSorted(),
  );
  expect(modules.filter(({ dependencies }) => dependencies.length > 0).length).toBeGreaterThanOrEqual(11);
});

test.each([
  ['a dialect in another dialect', 'src/dialects/levia/index.ts', '../graph/index.ts', 'dialect-sees-door-and-http'],
  ['a backend in a dialect', 'src/dialects/levia/index.ts', '../../backends/clock/clock.ts', 'dialect-sees-door-and-http'],
  ["the engine's inside in a dialect", 'src/dialects/levia/index.ts', '../../engine/runs/start.ts', 'dialect-sees-door-and-http'],
  ['a dialect in http', 'src/http/sse.ts', '../dialects/graph/index.ts', 'http-sees-door'],
  ['a backend in http', 'src/http/sse.ts', '../backends/clock/clock.ts', 'http-sees-door'],
  ['the engine in core', 'src/core/ids.ts', '../engine/runs/start.ts', 'core-is-pure'],
  ['an npm package in core', 'src/core/ids.ts', 'fastify', 'core-is-pure'],
  ['a module of Node in core', 'src/core/ids.ts', 'node:fs', 'core-is-pure'],
  ['a backend in the engine', 'src/engine/runs/start.ts', '../../backends/clock/clock.ts', 'engine-sees-only-core'],
  ['an npm package in the engine', 'src/engine/runs/start.ts', 'pino', 'engine-sees-only-core'],
  ['a backend in another backend', 'src/backends/clock/clock.ts', '../stores/sql/query.ts', 'backend-sees-core-and-itself'],
  ['the engine in a backend', 'src/backends/clock/clock.ts', '../../engine/index.ts', 'backend-sees-core-and-itself'],
  ['a store in another store', 'src/backends/stores/sqlite/store.ts', '../postgres/store.ts', 'store-sees-itself-and-sql'],
  ['a store in the query module', 'src/backends/stores/sql/query.ts', '../sqlite/store.ts', 'store-sees-itself-and-sql'],
  ['the engine in an agent', 'src/agents/writer.ts', '../engine/runs/start.ts', 'agent-sees-core'],
  ['a library of agents outside of their runtimes', 'src/app.ts', '@langchain/langgraph', 'agent-library-stays-in-its-runtime'],
  ['the composition root in the engine', 'src/engine/runs/start.ts', '../../app.ts', 'engine-sees-only-core'],
  ['a test in the product', 'src/app.ts', '../test/support/server.ts', 'no-test-in-product'],
  ['a file that is not there', 'src/app.ts', './absent.ts', 'no-unresolved'],
  ['a circle', 'src/core/ids.ts', './thread.ts', 'no-cycle'],
])('%s is found', (_, ...[path, target, rule]) => {
  write(HOUSE);
  const planted = `import type * as planted from '${target}';\nexport type Planted = typeof planted;\n`;
  write({ [path]: `${HOUSE[path as keyof typeof HOUSE]}${planted}` });
  const { violations } = cruise(directory).summary;
  expect(violations.filter(({ from }) => from === path).map((violation) => violation.rule.name)).toContain(rule);
});

test('tests beside the code may import what they need', () => {
  write({
    ...HOUSE,
    'src/dialects/levia/levia.test.ts':
      "import { server } from '../../../test/support/server.ts';\nimport { app } from '../../app.ts';\nexport const used = [server, app];\n",
  });
  expect(cruise(directory).summary.violations).toEqual([]);
});

test('this house keeps the rules', () => {
  const { modules, summary } = cruise(root);
  expect(summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`)).toEqual([]);
  const own = modules.filter(({ source }) => source.startsWith('src/'));
  expect(own.length).toBeGreaterThan(40);
  expect(own.filter(({ dependencies }) => dependencies.length > 0).length).toBeGreaterThan(30);
});

test('no file of this house has more than 300 lines', () => {
  expect(longFiles(root)).toEqual([]);
});

test('a file of more than 300 lines is found, wherever it is', () => {
  const line = 'export {};\n';
  write({
    ...HOUSE,
    'src/http/long.ts': line.repeat(301),
    'src/http/full.ts': line.repeat(300),
    'test/doors/long.test.ts': line.repeat(301),
  });
  expect(longFiles(directory)).toEqual(['src/http/long.ts', 'test/doors/long.test.ts']);
});

test('the linter sees types: it reports a promise that nobody awaits, and only that one', () => {
  cpSync(join(root, 'biome.json'), join(directory, 'biome.json'));
  cpSync(join(root, 'tsconfig.json'), join(directory, 'tsconfig.json'));
  write({
    '.gitignore': 'dist/\n',
    'src/load.ts': "export async function load(): Promise<string> {\n  return await Promise.resolve('');\n}\n",
    'src/floating.ts': "import { load } from './load.ts';\n\nexport function forget(): void {\n  load();\n}\n",
    'src/awaited.ts': "import { load } from './load.ts';\n\nexport async function wait(): Promise<void> {\n  await load();\n}\n",
  });
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/biome'), ['lint', '--reporter=json', '.'], {
    cwd: directory,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(1);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: string | { file: string } } }[] };
  expect(diagnostics.map(({ category }) => category).filter((category) => category.startsWith('lint/'))).toEqual([
    'lint/nursery/noFloatingPromises',
  ]);
  expect(JSON.stringify(diagnostics)).toContain('floating.ts');
});

// Compiles src/ to dist/, and copies the prompts beside the code, when dist/ is missing or older than what it is made of. Runs on any Node.js from 18 on.
//   --force        build in any case, into an empty dist/ (npm's `prepare`)
//   --keep-going   take what was emitted in spite of type errors (tests; `npm test` has checked the types before)
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const stampPath = join(dist, '.build.json');
const force = process.argv.includes('--force');
const keepGoing = process.argv.includes('--keep-going');

function listSources() {
  const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return [...files, join(root, 'tsconfig.json'), join(root, 'tsconfig.build.json'), join(root, 'package-lock.json')].filter(existsSync);
}

/** What the build depends on: the names of its files and when the last of them changed. */
function describeSources() {
  const files = listSources().sort();
  return { newestMs: Math.max(...files.map((file) => statSync(file).mtimeMs)), files: files.length };
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampPath, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

function isFresh(sources) {
  const stamp = readStamp();
  return stamp !== null && stamp.newestMs === sources.newestMs && stamp.files === sources.files && (stamp.ok || keepGoing);
}

function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

function build(sources) {
  const compiler = findCompiler();
  if (compiler === null) {
    // `npm ci --omit=dev` runs `prepare` too; it must not fail, but a start must.
    process.stderr.write('polylogue: dist/ is missing or old and TypeScript is not installed: run "npm ci" without --omit=dev once.\n');
    return force ? 0 : 1;
  }
  if (force) rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], { cwd: root, stdio: 'inherit' });
  rmSync(join(dist, 'prompts'), { recursive: true, force: true });
  cpSync(join(root, 'src', 'prompts'), join(dist, 'prompts'), { recursive: true });
  const command = join(dist, 'cli', 'main.js');
  if (existsSync(command)) chmodSync(command, 0o755);
  writeFileSync(stampPath, JSON.stringify({ ...sources, ok: status === 0 }));
  return status === 0 || keepGoing ? 0 : 1;
}

// An installed package has dist/ and no sources: nothing to do.
if (existsSync(join(root, 'src'))) {
  const sources = describeSources();
  if (force || !isFresh(sources)) process.exitCode = build(sources);
}

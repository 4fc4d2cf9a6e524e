import { cp, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServerDirectory } from './server-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What a clone does not have, or what does not make the server. */
const LEFT_OUT = /^(?:node_modules|dist|data|coverage|test|\.git|\.env.*|.*\.(?:log|tsbuildinfo))$/;

interface Copy {
  readonly directory: string;
  remove(): Promise<void>;
}

/** The installed and built project in an empty directory of its own: `npm start` runs there and keeps its data there. */
export async function copyWorkingTree(settings: object | null = null): Promise<Copy> {
  return copyOf(['package.json', 'dist', 'scripts'], settings);
}

/** The installed project as it is after a clone, in an empty directory: `npm start` builds it first. */
export async function copySources(): Promise<Copy> {
  return copyOf((await readdir(ROOT)).filter((name) => !LEFT_OUT.test(name)));
}

async function copyOf(parts: readonly string[], settings: object | null = null): Promise<Copy> {
  const place = await createServerDirectory(settings);
  for (const part of parts) await cp(join(ROOT, part), join(place.directory, part), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(place.directory, 'node_modules'));
  return place;
}

import { cp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServerDirectory } from './server-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The installed and built project in an empty directory of its own: `npm start` runs there and keeps its data there. */
export async function copyWorkingTree(settings: object | null = null): Promise<{ directory: string; remove(): Promise<void> }> {
  const place = await createServerDirectory(settings);
  for (const part of ['package.json', 'dist', 'scripts']) await cp(join(ROOT, part), join(place.directory, part), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(place.directory, 'node_modules'));
  return place;
}

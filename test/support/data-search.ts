import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The files below a folder, at any depth. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** Those of them that hold a text, as their bytes stand. */
export async function filesHolding(folder: string, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of await filesBelow(folder)) if ((await readFile(file)).includes(text)) found.push(file);
  return found;
}

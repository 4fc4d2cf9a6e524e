import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes sure that this process can keep files in a directory, and creates it for its user alone; rejects with a sentence for the operator. */
export async function prepareDataDirectory(path: string): Promise<void> {
  const problem = await makeDirectory(path).then(() => findProblem(path), codeOf);
  if (problem === null) return;
  throw new Error(`The data directory ${path} cannot be used (${problem}): set DATA_DIR to a directory that this user may write to.`);
}

async function findProblem(path: string): Promise<string | null> {
  if (!(await stat(path)).isDirectory()) return 'ENOTDIR';
  return access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(() => null, codeOf);
}

/** Step by step, because Node's recursive mkdir never returns where the parent exists and refuses new names with ENOENT, as /proc does. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}

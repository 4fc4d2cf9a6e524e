import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;

/**
 * Makes sure that this process can keep files in a directory, and creates it for its user alone; rejects with a sentence for the operator.
 * Gives sentences about what is unusual, such as the owner of a volume that a container mounts.
 */
export async function prepareDataDirectory(path: string): Promise<readonly string[]> {
  const problem = await makeDirectory(path).then(() => findProblem(path), codeOf);
  if (problem !== null) {
    throw new Error(`The data directory ${path} cannot be used (${problem}): set DATA_DIR to a directory that this user may write to.`);
  }
  return doubtsAbout(path, await stat(path));
}

async function findProblem(path: string): Promise<string | null> {
  const status = await stat(path);
  if (!status.isDirectory()) return 'ENOTDIR';
  // Whoever can change the directory's entries can put secrets there that the server would take for its own.
  if (process.getuid !== undefined && (status.mode & OTHERS_WRITE) !== 0) {
    throw new Error(
      `Other users of this machine can change the data directory ${path}: run "chmod o-w ${path}", or set DATA_DIR to a new one in it.`,
    );
  }
  return access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(() => null, codeOf);
}

function doubtsAbout(path: string, { uid, mode }: { readonly uid: number; readonly mode: number }): readonly string[] {
  if (process.getuid === undefined) return [];
  const doubts: string[] = [];
  if (uid !== process.getuid()) doubts.push(`The data directory ${path} belongs to another user, who can change what is in it.`);
  if ((mode & GROUP_WRITES) !== 0)
    doubts.push(`The group of the data directory ${path} can change what is in it: "chmod g-w ${path}" ends that.`);
  return doubts;
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

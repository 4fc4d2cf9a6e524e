import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { Finding } from '../../http/control-wire.ts';
import { fail, ok, warn } from './finding.ts';

const MIB = 1024 * 1024;
const LITTLE_MIB = 1024;
const TOO_LITTLE_MIB = 100;
const OTHERS = 0o077;
const PRIVATE_FILES = ['polylogue.db', 'jwt-secret', 'polylogue.sock'];

/** Whether the data directory is there, this user's alone, and on a disk with room. */
export async function examineFiles({ dataDir }: Config): Promise<readonly Finding[]> {
  const mode = await modeOf(dataDir);
  if (mode === null) return [warn('files', `There is no data directory ${dataDir} yet.`, 'The first start makes it; or set DATA_DIR.')];
  return [await examineModes(dataDir, mode), await examineRoom(dataDir)];
}

async function examineModes(dataDir: string, mode: number): Promise<Finding> {
  const message = `The data is in ${dataDir}.`;
  for (const name of PRIVATE_FILES) {
    const path = join(dataDir, name);
    if (((await modeOf(path)) ?? 0) & OTHERS)
      return fail('files', `Other users of this machine can open ${path}.`, `Run "chmod 600 ${path}".`);
  }
  if (mode & OTHERS) return warn('files', `${message} Other users of this machine can look into it.`, `Run "chmod 700 ${dataDir}".`);
  return ok('files', message);
}

async function examineRoom(dataDir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(dataDir);
  const free = Math.floor((bavail * bsize) / MIB);
  const message = `${free} MiB are free on the disk of the data directory.`;
  if (free < TOO_LITTLE_MIB) return fail('disk', message, 'Make room: a full disk refuses every message.');
  return free < LITTLE_MIB ? warn('disk', message, 'Make room soon.') : ok('disk', message);
}

/** Null when there is no such file. */
async function modeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const SQLITE_BUSY = 5;

/** Another process has the data directory. */
export class StoreInUse extends Error {
  override readonly name = 'StoreInUse';
}

/** Where the process that has a data directory leaves its number. */
export function pidFileIn(dataDir: string): string {
  return join(dataDir, 'server.pid');
}

/** Whether SQLite could not get its lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === SQLITE_BUSY;
}

/** The failure to open a data directory that another process has, as far as it says who it is. */
export function storeInUse(dataDir: string, cause: unknown): StoreInUse {
  const pid = readPid(pidFileIn(dataDir));
  const who = pid === null ? 'Another server' : `Another server (process ${pid})`;
  return new StoreInUse(`${who} is using the data directory ${dataDir}: stop it, or give this one a directory of its own.`, { cause });
}

function readPid(pidFile: string): string | null {
  try {
    return readFileSync(pidFile, 'utf8').trim() || null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

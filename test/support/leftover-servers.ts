import { lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How the names of the directories of test servers begin. */
export const SERVER_DIRECTORY = 'polylogue-pg-';
/** Says which process a directory belongs to. */
const STARTED_BY = 'started-by.pid';

/** Marks a directory as this process's, so that a later one may remove it when this one had no time to. */
export function markServerDirectory(directory: string): void {
  writeFileSync(join(directory, STARTED_BY), `${process.pid}\n`);
}

/** Removes marked directories of this user (or of `runAs`) whose process, and the server in them, are gone. */
export function removeLeftovers(parent: string, runAs: number): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(SERVER_DIRECTORY)) continue;
    const directory = join(parent, name);
    if (isLeftover(directory, runAs)) rmSync(directory, { recursive: true, force: true });
  }
}

function isLeftover(directory: string, runAs: number): boolean {
  try {
    const found = lstatSync(directory);
    if (!found.isDirectory() || (found.uid !== process.getuid?.() && found.uid !== runAs)) return false;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  const owner = pidIn(join(directory, STARTED_BY));
  const server = pidIn(join(directory, 'data/postmaster.pid'));
  return owner !== null && !isAlive(owner) && (server === null || !isAlive(server));
}

/** The number in a file's first line; null without file or number. */
function pidIn(file: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 0 ? pid : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // What may not be sent a signal is there.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

import { once } from 'node:events';
import { lstat, rename, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { type ControlOptions, createControl } from './control.ts';

/** Systems take about this many bytes for the name of a socket; a draft of one must fit too. */
const LONGEST_PATH = 100;
const ATTEMPTS = 3;

/** Where a server with this data directory listens for the command. */
export function socketIn(dataDir: string): string {
  return join(dataDir, 'polylogue.sock');
}

/** Whether a socket can have this name. */
export function fitsSocket(path: string): boolean {
  return Buffer.byteLength(path) <= LONGEST_PATH;
}

/**
 * Serves the control API at the socket of a data directory, for this user alone, until the function it returns is called. Where that cannot
 * be, the log gets a warning: the server works without it.
 */
export async function serveControl(options: ControlOptions, dataDir: string): Promise<() => Promise<void>> {
  const path = socketIn(dataDir);
  const control = createControl(options);
  // Fastify closes only what it has opened itself.
  control.addHook('onClose', () => close(control.server));
  await control.ready();
  const problem = fitsSocket(path) ? await listen(control.server, path) : 'its path is longer than a socket can have';
  if (problem !== null) options.log.warn({ path }, `the "polylogue" command cannot reach this server, because ${problem}`);
  return () => control.close();
}

/** Takes the name for a server; that of a server that is gone too, but not that of one that answers. Null, or why it could not. */
async function listen(server: Server, path: string): Promise<string | null> {
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (await tryListen(server, path)) return null;
      if (!(await isDead(path))) break;
      await removeDead(path);
    }
    return 'another server has the same data directory';
  } catch (error) {
    return `the socket cannot be made: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** False when the name is taken, be it by a server or by what a dead one has left. */
async function tryListen(server: Server, path: string): Promise<boolean> {
  const listening = once(server, 'listening');
  // The name is bound before `listen` returns: at no time can another user open it.
  const mask = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(mask);
  }
  try {
    await listening;
    return true;
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE')) return false;
    throw error;
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Whether a server listens at a socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => (hasCode(error, 'ECONNREFUSED', 'ENOENT') ? resolve(false) : reject(error)));
  });
}

/** Whether a name belongs to a socket at which nobody listens, or to nothing any more. */
async function isDead(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSocket() && !(await answers(path));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    throw error;
  }
}

/** Takes the name away from a dead socket. Another server may have put its own there just now: what was taken is looked at again. */
async function removeDead(path: string): Promise<void> {
  const aside = join(dirname(path), `polylogue.${process.pid}`);
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if (await answers(aside)) await rename(aside, path);
  else await rm(aside, { force: true });
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

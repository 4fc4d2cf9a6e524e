import { systemClock } from '../backends/clock/system-clock.ts';
import { StoreInUse } from '../backends/stores/sqlite/in-use.ts';
import { readDataDirectory } from '../config.ts';
import { fitsSocket, socketIn } from '../http/control-socket.ts';
import { CommandError } from './failure.ts';
import { askSocket, type ControlAnswer, type ControlRequest } from './socket-client.ts';

/** How long a command waits for a store that another command, or a server that is just starting, has. */
const PATIENCE_MS = 8_000;
const PAUSE_MS = 100;

/** Whom the commands ask: the running server, else the store, which is theirs alone until `close`. */
export interface Administration {
  /** The answer's JSON. Rejects with a sentence for the operator. */
  ask<Answer>(request: ControlRequest): Promise<Answer>;
  close(): Promise<void>;
}

/** Finds the server with the same DATA_DIR, or opens the store that the settings name. */
async function openAdministration(): Promise<Administration> {
  const dataDir = readDataDirectory({ env: process.env, cwd: process.cwd() });
  const until = systemClock.elapsed() + PATIENCE_MS;
  for (;;) {
    if (await findServer(dataDir)) return overSocket(socketIn(dataDir));
    try {
      return await overStore();
    } catch (error) {
      if (!(error instanceof StoreInUse)) throw error;
      if (systemClock.elapsed() > until) throw new Error(unreachable(dataDir), { cause: error });
    }
    await systemClock.sleep(PAUSE_MS);
  }
}

/** Asks the running server, else the store, one thing. */
export function askOnce<Answer>(request: ControlRequest): Promise<Answer> {
  return askWith((ask) => ask<Answer>(request));
}

/** Asks the running server, else the store, several things. */
export async function askWith<Result>(work: (ask: Administration['ask']) => Promise<Result>): Promise<Result> {
  const administration = await openAdministration();
  try {
    return await work(administration.ask);
  } finally {
    await administration.close();
  }
}

/** Asks the running server one thing; null when there is none. */
export async function askServer<Answer>(request: ControlRequest): Promise<Answer | null> {
  const dataDir = readDataDirectory({ env: process.env, cwd: process.cwd() });
  if (!fitsSocket(socketIn(dataDir))) return null;
  const answer = await askSocket(socketIn(dataDir), request);
  return answer === null ? null : (parse(answer) as Answer);
}

async function findServer(dataDir: string): Promise<boolean> {
  const path = socketIn(dataDir);
  return fitsSocket(path) && (await askSocket(path, { method: 'GET', path: '/server' })) !== null;
}

function overSocket(path: string): Administration {
  return {
    async ask<Answer>(request: ControlRequest) {
      const answer = await askSocket(path, request);
      if (answer === null) throw new Error('The server has stopped: give the command again.');
      return parse(answer) as Answer;
    },
    close: async () => {},
  };
}

async function overStore(): Promise<Administration> {
  // Loaded only here: most of the program comes with it.
  const { openLocalControl } = await import('./local-control.ts');
  const control = await openLocalControl();
  return {
    ask: async <Answer>(request: ControlRequest) => parse(await control.ask(request)) as Answer,
    close: () => control.close(),
  };
}

function parse({ status, body }: ControlAnswer): unknown {
  const value: unknown = JSON.parse(body);
  if (status < 400) return value;
  const { detail, code } = value as { detail?: unknown; code?: unknown };
  throw new CommandError(String(code), String(detail).replace(/([^.!?])$/, '$1.'));
}

function unreachable(dataDir: string): string {
  const why = fitsSocket(socketIn(dataDir)) ? 'does not answer there' : 'cannot be asked, because the path is too long for a socket';
  return `Another process has the data directory ${dataDir}, but ${why}: stop it, or give the command where the server runs.`;
}

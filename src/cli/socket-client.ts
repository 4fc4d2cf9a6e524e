import { lstat } from 'node:fs/promises';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';

/** The longest wait for an answer: an examination looks at several servers. */
const ANSWER_MS = 60_000;

/** A question to the control API. */
export interface ControlRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

export interface ControlAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks the server that listens at a socket; null when none does. Rejects with a sentence when it may not be asked or does not answer. */
export async function askSocket(socketPath: string, { method, path, body }: ControlRequest): Promise<ControlAnswer | null> {
  if (await isForeign(socketPath)) throw belongsToAnother(socketPath);
  try {
    return await new Promise<ControlAnswer>((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const asked = request({ socketPath, method, path, headers, agent: false, timeout: ANSWER_MS }, (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
      });
      asked.on('timeout', () => asked.destroy(new Error('it does not answer')));
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') return null;
    if (code === 'EACCES' || code === 'EPERM') throw belongsToAnother(socketPath);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The server at ${socketPath} cannot be asked: ${reason}.`, { cause: error });
  }
}

/** Whoever listens there learns what the command says, secrets included. False as well when nothing can be seen there. */
async function isForeign(socketPath: string): Promise<boolean> {
  const status = await lstat(socketPath).catch(() => null);
  return status !== null && process.getuid !== undefined && status.uid !== process.getuid();
}

function belongsToAnother(socketPath: string): Error {
  return new Error(`The server at ${socketPath} belongs to another user: run the command as that user.`);
}

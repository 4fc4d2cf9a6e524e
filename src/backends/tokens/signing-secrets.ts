import { randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const SECRET = /^[0-9a-f]{64}$/;

interface SecretSettings {
  readonly signingSecrets: readonly string[];
  readonly production: boolean;
  readonly dataDir: string;
}

/**
 * The secrets that sign and verify users' tokens, first the one to sign with: those that are set, else, outside production, one the
 * server makes for itself in `<dataDir>/jwt-secret`. None in production without a set one. Rejects with a sentence for the operator.
 */
export async function loadSigningSecrets({ config }: { config: SecretSettings }): Promise<readonly string[]> {
  if (config.signingSecrets.length > 0 || config.production) return config.signingSecrets;
  return [await loadOwnSecret(config.dataDir)];
}

async function loadOwnSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, 'jwt-secret');
  const existing = await readSecret(path);
  if (existing !== null) return existing;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await createSecret(path);
  const created = await readSecret(path);
  if (created === null) throw new Error(`${path} was removed while the server started: start again.`);
  return created;
}

/** Null when there is no file. Opened without following links, and judged by what was opened, so that nobody can swap it in between. */
async function readSecret(path: string): Promise<string | null> {
  const file = await openExisting(path);
  if (file === null) return null;
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new Error(`${path} must be a regular file: remove it, and the server makes a new one.`);
    if (isForeign(status)) {
      throw new Error(`${path} belongs to another user of this machine, who may know it: remove it, and the server makes a new one.`);
    }
    if (process.platform !== 'win32' && (status.mode & 0o077) !== 0) {
      throw new Error(`${path} can be read by other users of this machine: run "chmod 600 ${path}", or remove it to get a new secret.`);
    }
    const secret = (await file.readFile('utf8')).trim();
    if (!SECRET.test(secret)) throw new Error(`${path} must hold 64 hexadecimal digits: remove it, and the server makes a new one.`);
    return secret;
  } finally {
    await file.close();
  }
}

async function openExisting(path: string) {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return null;
    if (code === 'ELOOP') throw new Error(`${path} is a symbolic link, which the server does not follow: put the file itself there.`);
    throw error;
  }
}

/** A link to a finished file fails when the name is taken (as O_EXCL does) and never shows half a secret to another process. */
async function createSecret(path: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(32).toString('hex')}\n`);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await unlink(draft);
  }
}

/** Whether somebody else than this process's user owns a file; nobody does where files have no owners. */
function isForeign({ uid }: { readonly uid: number }): boolean {
  return process.getuid !== undefined && uid !== process.getuid();
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}

import { storeUnavailable } from '../../core/errors.ts';

/** What the machine does not give: room, rights, a working disk, another open file. */
const UNAVAILABLE: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'EACCES', 'EPERM']);

/** Does something with files; what the machine does not give is `overloaded`. */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw UNAVAILABLE.has(codeOf(error)) ? storeUnavailable(error) : error;
  }
}

/** Whether there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}

import { hash } from 'node:crypto';

/** A short name for whom a limit counts, who may have called themselves anything of any length. */
export function digestOf(key: string): string {
  return hash('sha256', key, 'base64url');
}

import { hkdfSync } from 'node:crypto';

/** What a derived key is good for. A key for one purpose tells nothing about the root or about the others. */
type Purpose = 'user tokens' | 'sealed secrets';

/** A key of 256 bits for one purpose (HKDF with SHA-256, RFC 5869). `root` is a secret that the server keeps. */
export function deriveKey(root: string, purpose: Purpose): Buffer {
  return Buffer.from(hkdfSync('sha256', root, '', `polylogue ${purpose} v1`, 32));
}

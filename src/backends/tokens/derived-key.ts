import { hkdfSync } from 'node:crypto';

/** What a derived key is good for. A key for one purpose tells nothing about the roots or about the others. */
type Purpose = 'user tokens' | 'sealed secrets';

/** What the server derives keys for its own use from. */
export interface Roots {
  /** The secret that was made with the store: nobody is told it, but a copy of the database holds it. */
  readonly stored: string;
  /** Secrets that the operator has set, first the one to use. Those who sign tokens of the default application know them too. */
  readonly set: readonly string[];
}

/**
 * Keys of 256 bits for one purpose, first the one to use: one for each secret that is set, each of which takes that secret and the stored one
 * to know; without a set one, the key of the stored secret alone.
 */
export function deriveKeys(roots: Roots, purpose: Purpose): readonly Buffer[] {
  const { stored, set } = roots;
  return set.length === 0 ? [deriveUnprotectedKey(roots, purpose)] : set.map((secret) => derive(stored, { secret, purpose }));
}

/** The key of the stored secret alone: what was made before a secret was set. */
export function deriveUnprotectedKey({ stored }: Roots, purpose: Purpose): Buffer {
  return derive(stored, { secret: '', purpose });
}

/** HKDF with SHA-256 (RFC 5869). */
function derive(stored: string, { secret, purpose }: { secret: string; purpose: Purpose }): Buffer {
  return Buffer.from(hkdfSync('sha256', stored, secret, `polylogue ${purpose} v2`, 32));
}

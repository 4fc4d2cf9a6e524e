import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SecretBox } from '../../core/ports/secrets.ts';
import { deriveKeys, deriveUnprotectedKey, type Roots } from './derived-key.ts';
import { decodeBase64Url } from './strict-json.ts';

const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals with AES-256-GCM (NIST SP 800-38D) as `v1.` and the base64url of nonce, ciphertext and tag. What was sealed with any of the secrets
 * that are set, or before there was one, is opened.
 */
export function createSecretBox(roots: Roots): SecretBox {
  const unprotected = deriveUnprotectedKey(roots, 'sealed secrets');
  const protecting = deriveKeys(roots, 'sealed secrets');
  const [sealing = unprotected] = protecting;
  const keys = [...protecting, unprotected];
  return {
    seal: (secret) => seal(secret, sealing),
    open(sealed) {
      for (const key of keys) {
        const secret = unseal(sealed, key);
        if (secret !== null) return secret;
      }
      return null;
    },
  };
}

function seal(secret: string, key: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  // The version is authenticated, so that no later format can be passed off as this one.
  cipher.setAAD(Buffer.from(VERSION));
  const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return `${VERSION}.${Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]).toString('base64url')}`;
}

function unseal(sealed: string, key: Buffer): string | null {
  const [version, text = '', ...others] = sealed.split('.');
  const bytes = decodeBase64Url(text);
  if (version !== VERSION || others.length > 0 || bytes === null || bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(VERSION));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plain = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]).toString('utf8');
  } catch {
    // The tag does not fit: another key, or not what was sealed.
    return null;
  }
}

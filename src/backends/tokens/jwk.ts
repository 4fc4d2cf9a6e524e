import { createPublicKey, type KeyObject } from 'node:crypto';
import { decodeBase64Url, type JsonRecord } from './strict-json.ts';

/** What may sign tokens with a public key, and the curve or the kind of key that it takes (RFC 7518 section 3.1, RFC 8037). */
const CURVES: Readonly<Record<string, string>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
};
const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

/** The algorithms of tokens that a public key verifies. */
export const ASYMMETRIC_ALGORITHMS: ReadonlySet<string> = new Set([...RSA, ...Object.keys(CURVES)]);

/** Shorter ones can be broken (RFC 7518 section 3.3), longer ones cost too much to use. */
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;

/** A public key for signatures, and the algorithms that it is for. */
export interface VerificationKey {
  readonly kid: string | null;
  /** The same for two that verify the same tokens. */
  readonly identity: string;
  /** Null unless the key may be used with this algorithm: what it is decides, and what it says of itself, never a token. */
  forAlgorithm(algorithm: string): KeyObject | null;
}

/** Null when a JWK (RFC 7517) is no sound public key for signatures. */
export function readVerificationKey(jwk: unknown): VerificationKey | null {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return null;
  const fields = jwk as JsonRecord;
  const algorithms = [...ASYMMETRIC_ALGORITHMS].filter((algorithm) => isFor(fields, algorithm));
  if (algorithms.length === 0 || !isPublicForSignatures(fields)) return null;
  const key = fields.kty === 'RSA' && !isSoundRsa(fields) ? null : importKey(fields);
  if (key === null) return null;
  const kid = typeof fields.kid === 'string' ? fields.kid : null;
  return {
    kid,
    identity: JSON.stringify([kid, algorithms, key.export({ type: 'spki', format: 'der' }).toString('base64')]),
    forAlgorithm: (algorithm) => (algorithms.includes(algorithm) ? key : null),
  };
}

function isFor(jwk: JsonRecord, algorithm: string): boolean {
  const named = jwk.alg === undefined || jwk.alg === algorithm || (algorithm === 'EdDSA' && jwk.alg === 'Ed25519');
  if (!named) return false;
  if (RSA.includes(algorithm)) return jwk.kty === 'RSA';
  return jwk.kty === (algorithm === 'EdDSA' ? 'OKP' : 'EC') && jwk.crv === CURVES[algorithm];
}

/** A published private key is nobody's proof any more. */
function isPublicForSignatures({ use, key_ops: operations, d, k }: JsonRecord): boolean {
  const forVerifying = operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
  return (use === undefined || use === 'sig') && forVerifying && d === undefined && k === undefined;
}

function isSoundRsa({ n, e }: JsonRecord): boolean {
  const [modulus, exponent] = [n, e].map((value) => (typeof value === 'string' ? decodeBase64Url(value) : null));
  if (!modulus || !exponent || exponent.length > 4) return false;
  const bits = BigInt(`0x0${modulus.toString('hex')}`).toString(2).length;
  const power = Number(`0x0${exponent.toString('hex')}`);
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS && power >= 3 && power % 2 === 1;
}

function importKey({ kty, crv, x, y, n, e }: JsonRecord): KeyObject | null {
  const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => typeof value === 'string');
  try {
    return createPublicKey({ key: Object.fromEntries(members), format: 'jwk' });
  } catch {
    // A point that is not on its curve, or something missing: no key at all.
    return null;
  }
}

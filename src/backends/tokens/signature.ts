import type { KeyObject } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import type { UnprovenToken } from './token-form.ts';

/** How far two machines' clocks may differ. */
const TOLERANCE_SECONDS = 30;

interface Expectations {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly issuer: string | null;
  readonly audience: string | null;
}

/** Whether one of the keys has signed the token, and its times, issuer and audience (RFC 7519 section 4.1) are as expected. */
export async function isProven(token: UnprovenToken, keys: readonly (Uint8Array | KeyObject)[], expected: Expectations): Promise<boolean> {
  if (!areTimesSane(token, expected.now)) return false;
  for (const key of keys) if (await isSignedBy(token, key, expected)) return true;
  return false;
}

async function isSignedBy({ text, alg }: UnprovenToken, key: Uint8Array | KeyObject, expected: Expectations): Promise<boolean> {
  try {
    await jwtVerify(text, key, {
      algorithms: [alg],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(expected.now),
      requiredClaims: ['exp'],
      ...(expected.issuer !== null && { issuer: expected.issuer }),
      ...(expected.audience !== null && { audience: expected.audience }),
    });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error;
  }
}

function areTimesSane({ claims }: UnprovenToken, now: number): boolean {
  const finite = ['nbf', 'iat'].every((name) => !(name in claims) || Number.isFinite(claims[name]));
  if (!finite || !Number.isFinite(claims.exp)) return false;
  return claims.iat === undefined || Number(claims.iat) * 1000 <= now + TOLERANCE_SECONDS * 1000;
}

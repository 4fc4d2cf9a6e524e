import type { KeyObject } from 'node:crypto';
import { JOSEError } from 'jose/errors';
import { jwtVerify } from 'jose/jwt/verify';
import { LAST_TIME } from '../../core/last-time.ts';
import type { UnprovenToken } from './token-form.ts';

/** How far two machines' clocks may differ. */
const TOLERANCE_SECONDS = 30;
/** The last second that RFC 3339 can write. */
const LAST_SECOND = Math.floor(LAST_TIME / 1000);

interface Expectations {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly issuer: string | null;
  readonly audience: string | null;
}

/** Something with a key that may have signed tokens. */
interface Prover {
  readonly key: Uint8Array | KeyObject;
}

/** Who has signed the token; null when nobody has, or its times, issuer or audience (RFC 7519 section 4.1) are not as expected. */
export async function findProof<Candidate extends Prover>(
  token: UnprovenToken,
  candidates: readonly Candidate[],
  expected: Expectations,
): Promise<Candidate | null> {
  if (!areTimesSane(token, expected.now)) return null;
  for (const candidate of candidates) if (await isSignedBy(token, candidate.key, expected)) return candidate;
  return null;
}

/** When a proven token counts no longer, in milliseconds since 1970: as long after its `exp` as clocks may differ, at most the year 9999. */
export function endOf({ claims }: UnprovenToken): number {
  return Math.min((Math.ceil(Number(claims.exp)) + TOLERANCE_SECONDS) * 1000, LAST_TIME);
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
    if (error instanceof JOSEError) return false;
    throw error;
  }
}

function areTimesSane({ claims }: UnprovenToken, now: number): boolean {
  const finite = ['nbf', 'iat'].every((name) => !(name in claims) || Number.isFinite(claims[name]));
  if (!finite || !Number.isFinite(claims.exp) || Number(claims.exp) > LAST_SECOND) return false;
  return claims.iat === undefined || Number(claims.iat) * 1000 <= now + TOLERANCE_SECONDS * 1000;
}

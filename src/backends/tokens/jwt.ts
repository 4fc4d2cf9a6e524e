import { errors, jwtVerify, SignJWT } from 'jose';
import { AppError } from '../../core/errors.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { decodeBase64Url, type JsonRecord, parseJsonRecord } from './strict-json.ts';
import { isUserId } from './user-id.ts';

/** How far two machines' clocks may differ. */
const TOLERANCE_SECONDS = 30;
const MAX_TOKEN_CHARACTERS = 8192;
/** Headers that choose a key or change what is signed: the server's secrets have no names and need no extensions. */
const REFUSED_HEADERS = ['crit', 'kid', 'jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'b64', 'zip', 'enc'];
const TYPES = ['jwt', 'at+jwt'];

/** A token that was found valid. */
export interface VerifiedToken {
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Checks a user's token (RFC 7519, hardened as RFC 8725 asks): HS256 only, by any of the keys. Null when anything is wrong. */
export async function verifyToken(token: string, keys: readonly Uint8Array[], clock: Clock): Promise<VerifiedToken | null> {
  const claims = readClaims(token);
  if (claims === null) return null;
  const now = clock.now();
  const userId = 'user_id' in claims ? claims.user_id : claims.sub;
  if (!isUserId(userId) || !isOfDefaultApplication(claims) || !areTimesSane(claims, now)) return null;
  for (const key of keys) {
    if (await isSignedBy(token, key, now)) return { userId, expiresAt: Number(claims.exp) * 1000 };
  }
  return null;
}

async function isSignedBy(token: string, key: Uint8Array, now: number): Promise<boolean> {
  try {
    await jwtVerify(token, key, {
      algorithms: ['HS256'],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(now),
      requiredClaims: ['exp'],
    });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error;
  }
}

/** The claims of a token whose form is beyond doubt; nothing is proven yet. */
function readClaims(token: string): JsonRecord | null {
  if (token.length > MAX_TOKEN_CHARACTERS) return null;
  const parts = token.split('.').map(decodeBase64Url);
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || !header || !payload || !signature) return null;
  const fields = parseJsonRecord(header);
  if (fields === null || fields.alg !== 'HS256' || REFUSED_HEADERS.some((name) => Object.hasOwn(fields, name))) return null;
  if (fields.typ !== undefined && !(typeof fields.typ === 'string' && TYPES.includes(fields.typ.toLowerCase()))) return null;
  return parseJsonRecord(payload);
}

function isOfDefaultApplication(claims: JsonRecord): boolean {
  return !('application' in claims) || claims.application === DEFAULT_APPLICATION;
}

function areTimesSane(claims: JsonRecord, now: number): boolean {
  const finite = ['nbf', 'iat'].every((name) => !(name in claims) || Number.isFinite(claims[name]));
  if (!finite || !Number.isFinite(claims.exp)) return false;
  return claims.iat === undefined || Number(claims.iat) * 1000 <= now + TOLERANCE_SECONDS * 1000;
}

/** Signs a token for one user; rejects with `validation_failed` when the name could not be a user's. */
export async function mintToken(input: { secret: string; userId: string; expiresInSeconds: number; clock: Clock }): Promise<string> {
  if (!isUserId(input.userId)) {
    throw new AppError('validation_failed', 'A user name has 1 to 255 characters and no NUL.');
  }
  const now = Math.floor(input.clock.now() / 1000);
  return await new SignJWT({})
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(input.userId)
    .setIssuedAt(now)
    .setExpirationTime(now + input.expiresInSeconds)
    .sign(new TextEncoder().encode(input.secret));
}

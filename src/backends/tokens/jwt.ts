import { SignJWT } from 'jose/jwt/sign';
import { AppError } from '../../core/errors.ts';
import { isReservedUser, RESERVED_USERS } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { isUserId } from './user-id.ts';

/** Signs a token for one user of the default application; rejects with `validation_failed` when the name could not be a user's. */
export async function mintToken(input: { secret: string; userId: string; expiresInSeconds: number; clock: Clock }): Promise<string> {
  checkUserId(input.userId);
  const now = Math.floor(input.clock.now() / 1000);
  return await new SignJWT({})
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(input.userId)
    .setIssuedAt(now)
    .setExpirationTime(now + input.expiresInSeconds)
    .sign(new TextEncoder().encode(input.secret));
}

/** Throws `validation_failed` unless a token may speak for a user of that name. */
export function checkUserId(userId: string): void {
  if (!isUserId(userId)) throw new AppError('validation_failed', 'A user name has 1 to 255 characters and no NUL.');
  if (isReservedUser(userId)) {
    throw new AppError(
      'validation_failed',
      `No token speaks for ${RESERVED_USERS.join(' or ')}: the application itself acts under these names.`,
    );
  }
}

import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';
import { AppError } from '../../core/errors.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { TokenIssuer } from '../../core/ports/secrets.ts';
import { deriveKeys, type Roots } from './derived-key.ts';
import { checkUserId } from './jwt.ts';

/** The key id that marks the server's own tokens. They are never verified with anything but the key derived for them. */
export const ISSUED_KEY_ID = 'polylogue';
/** What a token says that the development key has asked for: it counts no longer than that key exists. */
export const DEVELOPMENT_CLAIM = 'development';
const LONGEST_SECONDS = 86_400;

/** The keys that verify the server's own tokens; the first one signs. */
export function issuingKeys(roots: Roots): readonly Uint8Array[] {
  return deriveKeys(roots, 'user tokens');
}

/** Signs tokens of 1 second to 24 hours; rejects with `validation_failed`. */
export function createTokenIssuer({ roots, clock }: { roots: Roots; clock: Clock }): TokenIssuer {
  const [signingKey = new Uint8Array()] = issuingKeys(roots);
  return {
    async issue({ applicationId, userId, keyId, expiresInSeconds, byDevelopmentKey = false }) {
      checkUserId(userId);
      if (!Number.isInteger(expiresInSeconds) || expiresInSeconds < 1 || expiresInSeconds > LONGEST_SECONDS) {
        const message = `must be from 1 to ${LONGEST_SECONDS}`;
        const fields = [{ path: ['expires_in'], message, keyword: 'maximum' }];
        throw new AppError('validation_failed', `The seconds for which a token is valid ${message}.`, { fields });
      }
      const now = Math.floor(clock.now() / 1000);
      const expires = now + expiresInSeconds;
      const claims = {
        ...(applicationId !== DEFAULT_APPLICATION && { application: applicationId }),
        ...(keyId !== null && { key: keyId }),
        ...(byDevelopmentKey && { [DEVELOPMENT_CLAIM]: true }),
      };
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: ISSUED_KEY_ID })
        .setSubject(userId)
        .setIssuedAt(now)
        .setExpirationTime(expires)
        .setJti(randomUUID())
        .sign(signingKey);
      return { token, expiresAt: expires * 1000 };
    },
  };
}

import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { AppError } from '../../core/errors.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { TokenIssuer } from '../../core/ports/secrets.ts';
import { deriveKey } from './derived-key.ts';
import { checkUserId } from './jwt.ts';

/** The key id that marks the server's own tokens. They are never verified with anything but the key derived for them. */
export const ISSUED_KEY_ID = 'polylogue';
const LONGEST_SECONDS = 86_400;

/** The key that signs and verifies the server's own tokens. */
export function issuingKey(root: string): Uint8Array {
  return deriveKey(root, 'user tokens');
}

/** Signs tokens of 1 second to 24 hours; rejects with `validation_failed`, and with `not_configured` when `root` is null. */
export function createTokenIssuer({ root, clock }: { root: string | null; clock: Clock }): TokenIssuer {
  const signingKey = root === null ? null : issuingKey(root);
  return {
    async issue({ applicationId, userId, keyId, expiresInSeconds }) {
      if (signingKey === null) {
        throw new AppError(
          'not_configured',
          'The server has no secret to sign tokens with: set JWT_SECRET_KEY, for example to the output of "openssl rand -hex 32".',
        );
      }
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

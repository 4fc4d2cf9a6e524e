import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { TokenIssuer } from '../../core/ports/secrets.ts';
import { mintToken } from './jwt.ts';

interface OperatorTokens {
  /** The default application's own secrets, which sign as its backend would: for as long as one likes. */
  readonly secrets: readonly string[];
  /** What tokens of the default application must carry; such ones the server's own issuer signs. */
  readonly required: { readonly issuer: string | null; readonly audience: string | null };
  readonly issuer: TokenIssuer;
  readonly clock: Clock;
}

/** Tokens for whoever runs the server: any user of any application. */
export function createOperatorTokens({ secrets, required, issuer, clock }: OperatorTokens): TokenIssuer['issue'] {
  return async (claims) => {
    const [secret] = secrets;
    const signs = claims.applicationId === DEFAULT_APPLICATION && required.issuer === null && required.audience === null;
    if (!signs || secret === undefined) return issuer.issue(claims);
    const { userId, expiresInSeconds } = claims;
    const now = clock.now();
    const token = await mintToken({ secret, userId, expiresInSeconds, clock: { ...clock, now: () => now } });
    return { token, expiresAt: (Math.floor(now / 1000) + expiresInSeconds) * 1000 };
  };
}

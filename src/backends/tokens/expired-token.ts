import { readToken } from './token-form.ts';
import type { VerifyToken } from './token-verifier.ts';

/** Whether a token is refused `now` for no other reason than its `exp`: at that moment it would still have been good. */
export async function isExpiredToken(text: string, verify: VerifyToken, now: number): Promise<boolean> {
  const expiry = Number(readToken(text)?.claims.exp) * 1000;
  if (!(expiry < now)) return false;
  return (await verify(text, expiry)) !== null && (await verify(text, now)) === null;
}

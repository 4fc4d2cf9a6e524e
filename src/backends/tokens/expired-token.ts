import type { Clock } from '../../core/ports/clock.ts';
import { verifyToken } from './jwt.ts';
import { decodeBase64Url, parseJsonRecord } from './strict-json.ts';

/** Whether a token is refused now for no other reason than its `exp`: at that moment it would still have been good. */
export async function isExpiredToken(token: string, keys: readonly Uint8Array[], clock: Clock): Promise<boolean> {
  const payload = decodeBase64Url(token.split('.')[1] ?? '');
  const expiry = Number(payload && parseJsonRecord(payload)?.exp) * 1000;
  if (!(expiry < clock.now())) return false;
  return (await verifyToken(token, keys, { ...clock, now: () => expiry })) !== null && (await verifyToken(token, keys, clock)) === null;
}

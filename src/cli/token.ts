import { systemClock } from '../backends/clock/system-clock.ts';
import { mintToken } from '../backends/tokens/jwt.ts';
import { loadSigningSecrets } from '../backends/tokens/signing-secrets.ts';
import { ConfigError } from '../config/config-error.ts';
import { loadConfig } from '../config.ts';
import { prepareDataDirectory } from './data-directory.ts';

interface TokenRequest {
  readonly user: string;
  readonly expiresInSeconds: number;
}

/** A token that a server with the same settings accepts; no server needs to run. `expires_at` is RFC 3339. */
export async function createToken({
  user,
  expiresInSeconds,
}: TokenRequest): Promise<{ token: string; user_id: string; expires_at: string }> {
  const config = loadConfig({ env: process.env, cwd: process.cwd() });
  if (config.signingSecrets.length === 0 && !config.production) await prepareDataDirectory(config.dataDir);
  const [secret] = await loadSigningSecrets({ config });
  if (secret === undefined) throw new ConfigError('In production a token needs JWT_SECRET_KEY or BETTER_AUTH_SECRET to be signed with.');
  const now = systemClock.now();
  const token = await mintToken({ secret, userId: user, expiresInSeconds, clock: { ...systemClock, now: () => now } });
  const expires = (Math.floor(now / 1000) + expiresInSeconds) * 1000;
  return { token, user_id: user, expires_at: new Date(expires).toISOString() };
}

import { loadSecrets } from '../app/access.ts';
import { systemClock } from '../backends/clock/system-clock.ts';
import { createOperatorTokens } from '../backends/tokens/operator-token.ts';
import { loadConfig } from '../config.ts';
import type { ApplicationId } from '../core/ids.ts';
import { askServer } from './administration.ts';
import { prepareDataDirectory } from './data-directory.ts';

interface TokenRequest {
  readonly user: string;
  readonly application: string;
  readonly expiresInSeconds: number;
}

interface CreatedToken {
  readonly token: string;
  readonly user_id: string;
  /** RFC 3339. */
  readonly expires_at: string;
}

/** A token of the running server, else one that a server with the same settings accepts; the store stays closed. */
export async function createToken({ user, application, expiresInSeconds }: TokenRequest): Promise<CreatedToken> {
  const body = { application, user_id: user, expires_in: expiresInSeconds };
  return (await askServer<CreatedToken>({ method: 'POST', path: '/tokens', body })) ?? signToken({ user, application, expiresInSeconds });
}

async function signToken({ user, application, expiresInSeconds }: TokenRequest): Promise<CreatedToken> {
  const config = loadConfig({ env: process.env, cwd: process.cwd() });
  if (config.signingSecrets.length === 0) await prepareDataDirectory(config.dataDir);
  const { signing, tokens } = await loadSecrets(config);
  const issue = createOperatorTokens({ secrets: signing, required: config.tokens, issuer: tokens, clock: systemClock });
  const { token, expiresAt } = await issue({
    applicationId: application as ApplicationId,
    userId: user,
    keyId: null,
    expiresInSeconds,
  });
  return { token, user_id: user, expires_at: new Date(expiresAt).toISOString() };
}

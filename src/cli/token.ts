import { systemClock } from '../backends/clock/system-clock.ts';
import { createOperatorTokens } from '../backends/tokens/operator-token.ts';
import { loadSigningSecrets } from '../backends/tokens/signing-secrets.ts';
import { loadConfig } from '../config.ts';
import type { ApplicationId } from '../core/ids.ts';
import type { TokenClaims } from '../core/ports/secrets.ts';
import { askOnce, askServer } from './administration.ts';
import { prepareDataDirectory } from './data-directory.ts';
import type { ControlRequest } from './socket-client.ts';

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

/** A token of the running server, else one that a server with the same settings accepts; the store is opened only where its secret has to sign. */
export async function createToken({ user, application, expiresInSeconds }: TokenRequest): Promise<CreatedToken> {
  const request = requestFor({ user, application, expiresInSeconds });
  return (await askServer<CreatedToken>(request)) ?? signToken({ user, application, expiresInSeconds });
}

function requestFor({ user, application, expiresInSeconds }: TokenRequest): ControlRequest {
  return { method: 'POST', path: '/tokens', body: { application, user_id: user, expires_in: expiresInSeconds } };
}

async function signToken({ user, application, expiresInSeconds }: TokenRequest): Promise<CreatedToken> {
  const config = loadConfig({ env: process.env, cwd: process.cwd() });
  if (config.signingSecrets.length === 0) await prepareDataDirectory(config.dataDir);
  const secrets = await loadSigningSecrets({ config });
  const issue = createOperatorTokens({ secrets, required: config.tokens, issuer: { issue: issueInStore }, clock: systemClock });
  const { token, expiresAt } = await issue({
    applicationId: application as ApplicationId,
    userId: user,
    keyId: null,
    expiresInSeconds,
  });
  return { token, user_id: user, expires_at: new Date(expiresAt).toISOString() };
}

async function issueInStore({ applicationId, userId, expiresInSeconds }: TokenClaims): Promise<{ token: string; expiresAt: number }> {
  const request = requestFor({ user: userId, application: applicationId, expiresInSeconds });
  const { token, expires_at } = await askOnce<CreatedToken>(request);
  return { token, expiresAt: Date.parse(expires_at) };
}

import type { Clock } from '../../core/ports/clock.ts';
import type { AccessStore } from '../../core/ports/store.ts';
import { everyKey } from './every-key.ts';
import { doesKeyCount } from './key-principal.ts';

interface SignInOptions {
  readonly config: { readonly production: boolean; readonly signingSecrets: readonly string[]; readonly jwksUrl: string | null };
  readonly store: Pick<AccessStore, 'listKeys' | 'listApplications'>;
  readonly clock: Clock;
}

/** Why a server in production is of no use to anybody, as a sentence for the operator; null when somebody can sign in. */
export async function signInProblem({ config, store, clock }: SignInOptions): Promise<string | null> {
  const { production, signingSecrets, jwksUrl } = config;
  if (!production || signingSecrets.length > 0 || jwksUrl !== null) return null;
  const moment = { now: clock.now(), development: false };
  for await (const key of everyKey(store)) if (doesKeyCount(key, moment)) return null;
  const hasOwnTokens = (await store.listApplications()).some(({ tokens }) => tokens.jwksUrl !== null || tokens.sealedSecrets.length > 0);
  if (hasOwnTokens) return null;
  return (
    'With NODE_ENV=production nobody could sign in: make an API key with "polylogue keys create", or set JWT_SECRET_KEY ' +
    '(or BETTER_AUTH_SECRET) to the secret that signs your tokens, or JWKS_URL to where their public keys are.'
  );
}

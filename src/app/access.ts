import type { Logger } from 'pino';
import { systemClock } from '../backends/clock/system-clock.ts';
import { keyMaker } from '../backends/tokens/api-key.ts';
import { createCredentials } from '../backends/tokens/credentials.ts';
import type { Roots } from '../backends/tokens/derived-key.ts';
import { findLooseKeySets } from '../backends/tokens/loose-key-sets.ts';
import { createSecretBox } from '../backends/tokens/secret-box.ts';
import { signInProblem } from '../backends/tokens/sign-in.ts';
import { loadSigningSecrets } from '../backends/tokens/signing-secrets.ts';
import { createTokenIssuer } from '../backends/tokens/token-issuer.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config.ts';
import type { Credentials } from '../core/ports/credentials.ts';
import type { KeyMaker, SecretBox, TokenIssuer } from '../core/ports/secrets.ts';
import type { AccessStore, Store } from '../core/ports/store.ts';

/** What is made with the server's own secrets. */
export interface Secrets {
  readonly keys: KeyMaker;
  readonly tokens: TokenIssuer;
  readonly box: SecretBox;
}

/** What tells who callers are, and what makes credentials. */
export interface OpenedAccess extends Secrets {
  readonly credentials: Credentials;
  /** Verify tokens of the default application's users; the first one signs. */
  readonly signing: readonly string[];
}

interface AccessOptions {
  readonly store: Store;
  readonly log: Logger;
}

/** The server's own secrets over a store. */
export async function openSecrets(config: Config, store: Pick<AccessStore, 'serverSecret'>): Promise<Secrets> {
  return secretsOf(await readRoots(config, store));
}

/** Opens what lets callers in. Rejects with a `ConfigError` when nobody could sign in; the log gets what is unsafe. */
export async function openAccess(config: Config, { store, log }: AccessOptions): Promise<OpenedAccess> {
  const signing = await loadSigningSecrets({ config });
  const roots = await readRoots(config, store);
  const secrets = secretsOf(roots);
  const problem = await signInProblem({ config, store, clock: systemClock });
  if (problem !== null) throw new ConfigError(problem);
  await warn(config, { store, log });
  const credentials = createCredentials({
    store,
    developmentKey: config.developmentKey,
    secrets: signing,
    jwksUrl: config.jwksUrl,
    ...config.tokens,
    roots,
    box: secrets.box,
    clock: systemClock,
    onFault: (what, err) => log.error({ err }, what),
  });
  return { ...secrets, credentials, signing };
}

async function readRoots(config: Config, store: Pick<AccessStore, 'serverSecret'>): Promise<Roots> {
  return { stored: await store.serverSecret(), set: config.signingSecrets };
}

function secretsOf(roots: Roots): Secrets {
  return { keys: keyMaker, tokens: createTokenIssuer({ roots, clock: systemClock }), box: createSecretBox(roots) };
}

async function warn(config: Config, { store, log }: AccessOptions): Promise<void> {
  if (config.developmentKey !== null) {
    log.warn(
      'The development key is on, and everybody knows it: whoever reaches this server can be anybody. NODE_ENV=production turns it off.',
    );
  }
  const applications = await store.listApplications();
  for (const { message, advice } of findLooseKeySets({ config, applications })) log.warn(`${message} ${advice}`);
}

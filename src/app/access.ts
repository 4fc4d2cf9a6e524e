import type { Logger } from 'pino';
import { systemClock } from '../backends/clock/system-clock.ts';
import { keyMaker } from '../backends/tokens/api-key.ts';
import { createCredentials } from '../backends/tokens/credentials.ts';
import { createSecretBox } from '../backends/tokens/secret-box.ts';
import { signInProblem } from '../backends/tokens/sign-in.ts';
import { loadRootSecrets, loadSigningSecrets } from '../backends/tokens/signing-secrets.ts';
import { createTokenIssuer } from '../backends/tokens/token-issuer.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config.ts';
import type { Credentials } from '../core/ports/credentials.ts';
import type { KeyMaker, SecretBox, TokenIssuer } from '../core/ports/secrets.ts';
import type { Store } from '../core/ports/store.ts';

/** The server's secrets, and what is made with them without a store. */
export interface Secrets {
  /** Verify tokens of the default application's users; the first one signs. */
  readonly signing: readonly string[];
  /** What the key for the server's own tokens is derived from. */
  readonly root: string | null;
  readonly keys: KeyMaker;
  readonly tokens: TokenIssuer;
  readonly box: SecretBox;
}

/** Reads or makes the secrets. Rejects with a sentence for the operator. */
export async function loadSecrets(config: Config): Promise<Secrets> {
  const signing = await loadSigningSecrets({ config });
  const roots = await loadRootSecrets({ config });
  const [root = null] = roots;
  const tokens = createTokenIssuer({ root, clock: systemClock });
  return { signing, root, keys: keyMaker, tokens, box: createSecretBox(roots) };
}

/** What tells who callers are. Rejects with a `ConfigError` when nobody could sign in. */
export async function openCredentials(config: Config, options: { store: Store; secrets: Secrets; log: Logger }): Promise<Credentials> {
  const { store, secrets, log } = options;
  const problem = await signInProblem({ config, store, clock: systemClock });
  if (problem !== null) throw new ConfigError(problem);
  return createCredentials({
    store,
    developmentKey: config.developmentKey,
    secrets: secrets.signing,
    jwksUrl: config.jwksUrl,
    ...config.tokens,
    root: secrets.root,
    box: secrets.box,
    clock: systemClock,
    onFault: (what, err) => log.error({ err }, what),
  });
}

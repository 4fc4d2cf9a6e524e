import type { Application } from '../../core/access.ts';
import { type ApplicationId, DEFAULT_APPLICATION } from '../../core/ids.ts';
import { DEFAULT_TIER } from '../../core/limits.ts';
import type { SecretBox } from '../../core/ports/secrets.ts';
import type { OnFault } from './on-fault.ts';

/** What the settings say about tokens of the default application. */
export interface DefaultTokenRules {
  /** HS256 secrets, any of which may have signed a token. */
  readonly secrets: readonly string[];
  readonly jwksUrl: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
}

/** What proves tokens, as long as it belongs to an application: it ends when it does not any more, or when issuer or audience change. */
export interface Ground<Proof> {
  readonly proof: Proof;
  /** Null for what the settings say, which stays as long as the process. */
  readonly end: AbortController | null;
}

/** How an application's tokens are verified, ready for use. */
export interface ApplicationRules {
  readonly id: ApplicationId;
  readonly tier: string;
  /** HS256 secrets. */
  readonly secrets: readonly Ground<Uint8Array>[];
  /** The address of the public keys. */
  readonly keySet: Ground<string> | null;
  readonly issuer: string | null;
  readonly audience: string | null;
}

interface RulesOptions {
  readonly ofDefault: DefaultTokenRules;
  readonly box: SecretBox;
  readonly onFault: OnFault;
}

/** An application as it is stored; null only for the default one. */
export interface StoredApplication {
  readonly id: ApplicationId;
  readonly application: Application | null;
}

/** The rules of an application. What proved tokens under the rules `before` and still does is the same ground. */
export function rulesOf({ id, application }: StoredApplication, before: ApplicationRules | null, options: RulesOptions): ApplicationRules {
  const tier = application?.tier ?? DEFAULT_TIER;
  if (id === DEFAULT_APPLICATION || application === null) return { id, tier, ...ofSettings(options.ofDefault) };
  const { jwksUrl, issuer, audience } = application.tokens;
  const like = before !== null && before.issuer === issuer && before.audience === audience ? before : null;
  const secrets = openSecrets(application, options).map((secret) => {
    return like?.secrets.find(({ proof }) => Buffer.from(secret).equals(proof)) ?? ground(secret);
  });
  const keySet = jwksUrl === null ? null : like?.keySet?.proof === jwksUrl ? like.keySet : ground(jwksUrl);
  return { id, tier, secrets, keySet, issuer, audience };
}

/** Everything that proves tokens under these rules. */
export function groundsOf({ secrets, keySet }: ApplicationRules): readonly Ground<unknown>[] {
  return keySet === null ? secrets : [...secrets, keySet];
}

function ground<Proof>(proof: Proof): Ground<Proof> {
  return { proof, end: new AbortController() };
}

function ofSettings({ secrets, jwksUrl, issuer, audience }: DefaultTokenRules): Omit<ApplicationRules, 'id' | 'tier'> {
  const keySet = jwksUrl === null ? null : { proof: jwksUrl, end: null };
  return { secrets: secrets.map((secret) => ({ proof: encode(secret), end: null })), keySet, issuer, audience };
}

function openSecrets({ id, tokens }: Application, { box, onFault }: RulesOptions): readonly Uint8Array[] {
  const secrets = tokens.sealedSecrets.flatMap((sealed) => box.open(sealed) ?? []);
  if (secrets.length < tokens.sealedSecrets.length) {
    const error = new Error(
      'It was sealed under another JWT_SECRET_KEY: set the earlier one again, or give the application its secrets anew.',
    );
    onFault(`a token secret of the application ${id} cannot be read`, error);
  }
  return secrets.map(encode);
}

function encode(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}

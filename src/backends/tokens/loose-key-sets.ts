import type { Application, TokenRules } from '../../core/access.ts';

interface LooseOptions {
  readonly config: {
    readonly jwksUrl: string | null;
    readonly tokens: Pick<TokenRules, 'issuer' | 'audience'>;
  };
  readonly applications: readonly Application[];
}

/** A key set that proves more tokens than it should, and what to do about it. */
export interface LooseKeySet {
  readonly message: string;
  readonly advice: string;
}

/** Key sets without issuer and audience: a token that the same sign-in has made for any other program opens this server too (RFC 8725 section 3.9). */
export function findLooseKeySets({ config, applications }: LooseOptions): readonly LooseKeySet[] {
  const ofSettings = isLoose({ ...config.tokens, jwksUrl: config.jwksUrl })
    ? [{ message: sentence('JWKS_URL'), advice: 'Set tokens.issuer and tokens.audience in polylogue.config.json.' }]
    : [];
  const ofApplications = applications.flatMap(({ id, tokens }) => {
    const advice = `Run "polylogue applications change ${id}" with --issuer and --audience.`;
    return isLoose(tokens) ? [{ message: sentence(`the application "${id}"`), advice }] : [];
  });
  return [...ofSettings, ...ofApplications];
}

function isLoose({ jwksUrl, issuer, audience }: Pick<TokenRules, 'jwksUrl' | 'issuer' | 'audience'>): boolean {
  return jwksUrl !== null && issuer === null && audience === null;
}

function sentence(owner: string): string {
  return `The public keys of ${owner} open this server to every token that they prove, also to those made for other programs.`;
}

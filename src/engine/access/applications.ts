import type { Application, TokenRules } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { type ApplicationId, DEFAULT_APPLICATION } from '../../core/ids.ts';
import { jwksUrlProblem } from '../../core/jwks-url.ts';
import { secretWeakness } from '../../core/secret-strength.ts';
import type { Access, ApplicationSettings } from '../engine.ts';
import type { AccessPorts } from './access-ports.ts';
import { type Checks, checkName, checkTier, checkTokenText, createChecks } from './checks.ts';

const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Two, so that one can follow the other without a token being refused. */
const MAX_SECRETS = 2;
const LONGEST_SECRET = 1024;
const NO_RULES: TokenRules = { jwksUrl: null, sealedSecrets: [], issuer: null, audience: null };

type ApplicationAccess = Pick<Access, 'createApplication' | 'changeApplication' | 'listApplications'>;

export function createApplicationAccess(ports: AccessPorts): ApplicationAccess {
  const { store, clock } = ports;
  return {
    async createApplication(id, settings) {
      check({ id, settings: { ...settings, name: settings.name ?? '' } }, ports);
      const application: Application = {
        id,
        name: settings.name ?? '',
        tier: settings.tier ?? null,
        tokens: { ...NO_RULES, ...rulesOf(settings, ports) },
        createdAt: clock.now(),
      };
      if (!(await store.createApplication(application))) {
        throw new AppError('state_conflict', `There is an application "${id}" already`);
      }
      await ports.changed({ what: 'application created', applicationId: id, keyId: null, by: null });
      return application;
    },
    async changeApplication(id, settings) {
      if (!ID.test(id)) throw applicationUnknown();
      check({ id, settings }, ports);
      const { name, tier } = settings;
      const changed = await store.changeApplication(id, {
        ...(name !== undefined && { name }),
        ...(tier !== undefined && { tier }),
        tokens: rulesOf(settings, ports),
      });
      if (changed === null) throw applicationUnknown();
      await ports.changed({ what: 'application changed', applicationId: id, keyId: null, by: null });
      return changed;
    },
    listApplications: () => store.listApplications(),
  };
}

export function applicationUnknown(): AppError {
  return new AppError('application_not_found', 'There is no such application');
}

function setsTokens({ jwksUrl, secrets, issuer, audience }: ApplicationSettings): boolean {
  return [jwksUrl, secrets, issuer, audience].some((setting) => setting !== undefined);
}

/** Those that the settings name. */
function rulesOf({ jwksUrl, issuer, audience, secrets }: ApplicationSettings, { access }: AccessPorts): Partial<TokenRules> {
  return {
    ...(jwksUrl !== undefined && { jwksUrl }),
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    ...(secrets !== undefined && { sealedSecrets: secrets.map((secret) => access.box.seal(secret)) }),
  };
}

function check({ id, settings }: { id: ApplicationId; settings: ApplicationSettings }, { tiers }: AccessPorts): void {
  const { name, tier = null, jwksUrl = null, issuer = null, audience = null } = settings;
  const checks = createChecks();
  checks.that(ID.test(id), 'id', 'must have 1 to 63 characters a-z, 0-9 and -, and not begin with -');
  if (name !== undefined) checkName(checks, name);
  checkTier(checks, tier, tiers.keys());
  const ofSettings = id === DEFAULT_APPLICATION && setsTokens(settings);
  checks.that(!ofSettings, 'id', 'is the application whose tokens the settings of the server rule: JWT_SECRET_KEY and JWKS_URL');
  const problem = jwksUrl === null ? null : jwksUrlProblem(jwksUrl);
  checks.that(problem === null, 'jwks_url', problem ?? '');
  checkTokenText(checks, 'issuer', issuer);
  checkTokenText(checks, 'audience', audience);
  checkSecrets(checks, settings.secrets ?? []);
  checks.done();
}

function checkSecrets(checks: Checks, secrets: readonly string[]): void {
  checks.that(secrets.length <= MAX_SECRETS, 'secrets', `must be at most ${MAX_SECRETS}`);
  checks.that(new Set(secrets).size === secrets.length, 'secrets', 'must differ from each other');
  for (const [index, secret] of secrets.slice(0, MAX_SECRETS).entries()) {
    const fits = secret.length <= LONGEST_SECRET && secret.isWellFormed() && !secret.includes('\0');
    checks.that(fits, `secrets.${index}`, `must have at most ${LONGEST_SECRET} characters and no NUL`);
    const weakness = fits ? secretWeakness(secret) : null;
    checks.that(weakness === null, `secrets.${index}`, `${weakness ?? ''}: take a random one, for example from "openssl rand -hex 32"`);
  }
}

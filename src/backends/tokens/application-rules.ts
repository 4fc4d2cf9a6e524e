import type { Application } from '../../core/access.ts';
import { type ApplicationId, DEFAULT_APPLICATION } from '../../core/ids.ts';
import { DEFAULT_TIER } from '../../core/limits.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { SecretBox } from '../../core/ports/secrets.ts';
import type { AccessStore } from '../../core/ports/store.ts';
import type { OnFault } from './on-fault.ts';
import { createRecordCache, type RecordCache } from './record-cache.ts';

const REMEMBERED_APPLICATIONS = 10_000;
const ABSENCE_MS = 10_000;

/** What the settings say about tokens of the default application. */
export interface DefaultTokenRules {
  /** HS256 secrets, any of which may have signed a token. */
  readonly secrets: readonly string[];
  readonly jwksUrl: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
}

/** How an application's tokens are verified, ready for use. */
export interface ApplicationRules {
  readonly id: ApplicationId;
  readonly tier: string;
  readonly secrets: readonly Uint8Array[];
  readonly jwksUrl: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
}

interface ApplicationRulesOptions {
  readonly store: Pick<AccessStore, 'findApplication' | 'listApplications'>;
  readonly ofDefault: DefaultTokenRules;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly onFault: OnFault;
}

/** Remembers applications; an unchanged one keeps its identity. */
export interface ApplicationDirectory extends Pick<RecordCache<ApplicationId, ApplicationRules>, 'find' | 'peek'> {
  refresh(): Promise<void>;
}

export function createApplicationDirectory(options: ApplicationRulesOptions): ApplicationDirectory {
  const { store, clock } = options;
  const sources = new WeakMap<ApplicationRules, string>();
  const rulesOf = (id: ApplicationId, application: Application | null): ApplicationRules | null => {
    const rules = id === DEFAULT_APPLICATION ? ofSettings(application, options) : application && ofApplication(application, options);
    if (rules !== null) sources.set(rules, JSON.stringify(application));
    return rules;
  };
  const cache = createRecordCache<ApplicationId, ApplicationRules>({
    load: async (id) => rulesOf(id, await store.findApplication(id)),
    clock,
    capacity: REMEMBERED_APPLICATIONS,
    absenceMs: ABSENCE_MS,
  });
  return {
    find: cache.find,
    peek: cache.peek,
    async refresh() {
      cache.invalidate();
      if (cache.keys().length === 0) return;
      const stored = new Map((await store.listApplications()).map((application) => [application.id, application]));
      cache.replace((rules, id) => {
        const application = stored.get(id) ?? null;
        return sources.get(rules) === JSON.stringify(application) ? rules : rulesOf(id, application);
      });
    },
  };
}

function ofSettings(application: Application | null, { ofDefault }: ApplicationRulesOptions): ApplicationRules {
  const { secrets, jwksUrl, issuer, audience } = ofDefault;
  const tier = application?.tier ?? DEFAULT_TIER;
  return { id: DEFAULT_APPLICATION, tier, secrets: secrets.map(encode), jwksUrl, issuer, audience };
}

function ofApplication({ id, tier, tokens }: Application, { box, onFault }: ApplicationRulesOptions): ApplicationRules {
  const { sealedSecrets, jwksUrl, issuer, audience } = tokens;
  const secrets = sealedSecrets.flatMap((sealed) => box.open(sealed) ?? []);
  if (secrets.length < sealedSecrets.length) {
    const error = new Error(
      'It was sealed under another JWT_SECRET_KEY: set the earlier one again, or give the application its secrets anew.',
    );
    onFault(`a token secret of the application ${id} cannot be read`, error);
  }
  return { id, tier: tier ?? DEFAULT_TIER, secrets: secrets.map(encode), jwksUrl, issuer, audience };
}

function encode(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}

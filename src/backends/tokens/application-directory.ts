import { AppError } from '../../core/errors.ts';
import { type ApplicationId, DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { SecretBox } from '../../core/ports/secrets.ts';
import type { AccessStore } from '../../core/ports/store.ts';
import { type ApplicationRules, type DefaultTokenRules, groundsOf, rulesOf, type StoredApplication } from './application-rules.ts';
import type { OnFault } from './on-fault.ts';
import { createRecordCache } from './record-cache.ts';

const REMEMBERED_APPLICATIONS = 10_000;
const ABSENCE_MS = 10_000;

interface ApplicationDirectoryOptions {
  readonly store: Pick<AccessStore, 'findApplication' | 'listApplications'>;
  readonly ofDefault: DefaultTokenRules;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly onFault: OnFault;
  /** Instead of 10,000. */
  readonly remembered?: number;
}

/** Remembers how tokens of applications are verified; an unchanged application keeps its rules. */
export interface ApplicationDirectory {
  /** Null when there is no such application. */
  find(id: ApplicationId): Promise<ApplicationRules | null>;
  /** Whether rules still are what they were when found. */
  isCurrent(rules: ApplicationRules): boolean;
  /** Reads everything that is remembered again; when it resolves, what proves no tokens any more has ended. When it fails, call it again. */
  refresh(): Promise<void>;
}

interface Watched {
  readonly stored: StoredApplication;
  readonly rules: ApplicationRules;
}

export function createApplicationDirectory(options: ApplicationDirectoryOptions): ApplicationDirectory {
  const { store, clock, remembered = REMEMBERED_APPLICATIONS } = options;
  /** The longest unused first. */
  const watched = new Map<ApplicationId, Watched>();
  const cache = createRecordCache<ApplicationId, StoredApplication>({
    load: async (id) => {
      const application = await store.findApplication(id);
      return application === null && id !== DEFAULT_APPLICATION ? null : { id, application };
    },
    clock,
    capacity: remembered,
    absenceMs: ABSENCE_MS,
  });

  function watch(stored: StoredApplication): ApplicationRules {
    const before = watched.get(stored.id) ?? null;
    const rules = before !== null && isSame(before.stored, stored) ? before.rules : rulesOf(stored, before?.rules ?? null, options);
    if (before !== null && before.rules !== rules) end(before.rules, rules);
    watched.delete(stored.id);
    const [oldest] = watched.values();
    if (watched.size >= remembered && oldest !== undefined) {
      watched.delete(oldest.rules.id);
      end(oldest.rules, null);
    }
    watched.set(stored.id, { stored, rules });
    return rules;
  }

  return {
    async find(id) {
      const stored = await cache.find(id);
      return stored && watch(stored);
    },
    isCurrent: (rules) => watched.get(rules.id)?.rules === rules,
    async refresh() {
      cache.invalidate();
      if (watched.size === 0 && cache.keys().length === 0) return;
      const found = new Map((await store.listApplications()).map((application) => [application.id, application]));
      const renew = (id: ApplicationId): StoredApplication => ({ id, application: found.get(id) ?? null });
      cache.replace((stored, id) => (isSame(stored, renew(id)) ? stored : renew(id)));
      for (const [id, { stored }] of [...watched]) if (!isSame(stored, renew(id))) watch(renew(id));
    },
  };
}

/** Ends what proved tokens under the rules `before` and does not under those that follow. */
function end(before: ApplicationRules, after: ApplicationRules | null): void {
  const kept = new Set(after === null ? [] : groundsOf(after));
  for (const ground of groundsOf(before)) {
    if (!kept.has(ground)) ground.end?.abort(new AppError('auth_revoked', 'What proved the token counts no more'));
  }
}

function isSame(one: StoredApplication, other: StoredApplication): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

import { ACCESS_SUBJECT, type AccessChange } from '../../core/access.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { Access } from '../engine.ts';
import type { AccessPorts } from './access-ports.ts';
import { applicationUnknown, createApplicationAccess } from './applications.ts';
import { checkUserId, createChecks } from './checks.ts';
import { createKeyAccess } from './keys.ts';

interface AdministrationPorts extends Omit<AccessPorts, 'changed'> {
  readonly observer: Pick<Observer, 'accessChanged'>;
}

/** The administration of keys and applications: on a store, with or without an engine that serves on it. */
export function createAccess(ports: AdministrationPorts): Access {
  const changed = async (change: AccessChange) => {
    ports.observer.accessChanged(change);
    ports.store.hints?.publish([ACCESS_SUBJECT]);
    await ports.access.onChange();
  };
  return {
    ...createKeyAccess({ ...ports, changed }),
    ...createApplicationAccess({ ...ports, changed }),
    async issueToken(claims) {
      const checks = createChecks();
      checkUserId(checks, claims.userId);
      checks.done();
      const { applicationId } = claims;
      // A key of it is proof enough that there is such an application.
      const exists = claims.keyId !== null || applicationId === DEFAULT_APPLICATION || (await ports.store.findApplication(applicationId));
      if (!exists) throw applicationUnknown();
      return ports.access.tokens.issue(claims);
    },
  };
}

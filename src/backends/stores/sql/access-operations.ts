import type { AccessStore } from '../../../core/ports/store.ts';
import { accessVersion } from './access-version.ts';
import { createKey, findKeyByDigest, findKeys, listKeys, revokeKey, touchKeys } from './api-keys.ts';
import { changeApplication, createApplication, findApplication, listApplications } from './applications.ts';
import { serverSecret } from './server-secret.ts';
import type { Session } from './session.ts';

/** The store's operations on applications and keys. */
export function accessOperations(session: Session): AccessStore {
  return {
    createApplication: (application) => createApplication(session, application),
    listApplications: () => listApplications(session),
    findApplication: (id) => findApplication(session, id),
    changeApplication: (id, changes) => changeApplication(session, id, changes),
    createKey: (input) => createKey(session, input),
    findKeyByDigest: (digest) => findKeyByDigest(session, digest),
    findKeys: (ids) => findKeys(session, ids),
    listKeys: (applicationId, page) => listKeys(session, applicationId, page),
    revokeKey: (input) => revokeKey(session, input),
    touchKeys: (uses) => touchKeys(session, uses),
    accessVersion: () => accessVersion(session),
    serverSecret: () => serverSecret(session),
  };
}

import type { Observer } from '../../core/ports/observer.ts';
import type { Caller } from '../../core/principal.ts';
import { serverBusy, uploadsExceeded } from '../../core/refusals.ts';

/** Files of one user that may come in at once. */
const PER_USER = 4;
/** Files of all users of one application: whatever they do, the others have places left. */
const PER_APPLICATION = 24;
/** Files of all users. */
const IN_ALL = 32;

const EVERYBODY = '';

/** Counts a file that comes in until the function it returns is called. Throws `too_many_uploads`, or `overloaded`. */
export type TakeUploadPlace = (caller: Caller) => () => void;

/** Bounds what comes in at once in this process: a slow sender holds a place, and no more than a few. */
export function createUploadPlaces({ observer }: { readonly observer: Pick<Observer, 'refused'> }): TakeUploadPlace {
  const counts = new Map<string, number>();
  const count = (key: string): number => counts.get(key) ?? 0;
  const change = (keys: readonly string[], by: 1 | -1): void => {
    for (const key of keys) {
      if (count(key) + by === 0) counts.delete(key);
      else counts.set(key, count(key) + by);
    }
  };

  return ({ applicationId, userId }) => {
    const user = JSON.stringify([applicationId, userId]);
    const application = JSON.stringify([applicationId]);
    if (count(user) >= PER_USER) {
      observer.refused({ code: 'too_many_uploads', limit: 'uploads' });
      throw uploadsExceeded(PER_USER);
    }
    if (count(application) >= PER_APPLICATION || count(EVERYBODY) >= IN_ALL) throw serverBusy();
    const keys = [user, application, EVERYBODY];
    change(keys, 1);
    let taken = true;
    return () => {
      if (taken) change(keys, -1);
      taken = false;
    };
  };
}

import type { Observer } from '../../core/ports/observer.ts';
import type { Caller } from '../../core/principal.ts';
import { serverBusy, uploadsExceeded } from '../../core/refusals.ts';

/** Files of one user that may come in at once. */
const PER_USER = 4;
/** Files of all users. */
const IN_ALL = 32;

/** Counts a file that comes in until the function it returns is called. Throws `too_many_uploads`, or `overloaded`. */
export type TakeUploadPlace = (caller: Caller) => () => void;

/** Bounds what comes in at once in this process: a slow sender holds a place, and no more than a few. */
export function createUploadPlaces({ observer }: { readonly observer: Pick<Observer, 'refused'> }): TakeUploadPlace {
  const byUser = new Map<string, number>();
  let all = 0;

  return ({ applicationId, userId }) => {
    const user = JSON.stringify([applicationId, userId]);
    const own = byUser.get(user) ?? 0;
    if (own >= PER_USER) {
      observer.refused({ code: 'too_many_uploads', limit: 'uploads' });
      throw uploadsExceeded(PER_USER);
    }
    if (all >= IN_ALL) throw serverBusy();
    byUser.set(user, own + 1);
    all += 1;
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      all -= 1;
      const left = (byUser.get(user) ?? 1) - 1;
      if (left === 0) byUser.delete(user);
      else byUser.set(user, left);
    };
  };
}

import type { ApiKey } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import type { KeyId } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { AccessStore } from '../../core/ports/store.ts';
import { createRecordCache } from './record-cache.ts';

const REMEMBERED_KEYS = 10_000;
const ABSENCE_MS = 10_000;
/** Keys whose revocation is watched for; beyond, the signal of the longest unused one aborts, so that none is ever left unwatched. */
const WATCHED_KEYS = 50_000;
const KEYS_PER_QUERY = 500;

/** A key and the signal that all who came in by it share; it aborts when the key is revoked, gone or ends at another time. */
export interface KnownKey {
  readonly key: ApiKey;
  readonly revoked: AbortSignal;
}

interface KeyDirectoryOptions {
  readonly store: Pick<AccessStore, 'findKeyByDigest' | 'findKeys'>;
  readonly clock: Clock;
  /** Instead of 10,000 and 50,000. */
  readonly bounds?: { readonly remembered: number; readonly watched: number };
}

/** Finds keys by one cached look-up, whatever their state. */
export interface KeyDirectory {
  byDigest(digest: string): Promise<KnownKey | null>;
  byId(id: KeyId): Promise<KnownKey | null>;
  /** Whether a key is still what it was when found. */
  isCurrent(known: KnownKey): boolean;
  /** Reads again everything that is remembered or watched. When it fails, call it again. */
  refresh(): Promise<void>;
}

export function createKeyDirectory(options: KeyDirectoryOptions): KeyDirectory {
  const { store, clock, bounds = { remembered: REMEMBERED_KEYS, watched: WATCHED_KEYS } } = options;
  const watched = createWatchList(bounds.watched);
  const common = { clock, capacity: bounds.remembered, absenceMs: ABSENCE_MS };
  const byDigest = createRecordCache<string, KnownKey>({
    ...common,
    load: async (digest) => watched.admit(await store.findKeyByDigest(digest)),
  });
  const byId = createRecordCache<KeyId, KnownKey>({
    ...common,
    load: async (id) => watched.admit((await store.findKeys([id]))[0] ?? null),
  });

  async function refresh(): Promise<void> {
    byDigest.invalidate();
    byId.invalidate();
    const ids = watched.ids();
    for (let from = 0; from < ids.length; from += KEYS_PER_QUERY) {
      const asked = ids.slice(from, from + KEYS_PER_QUERY);
      const found = new Map((await store.findKeys(asked)).map((key) => [key.id, key]));
      for (const id of asked) watched.update(id, found.get(id) ?? null);
    }
    byDigest.replace(watched.latest);
    byId.replace(watched.latest);
  }

  const touched = (known: KnownKey | null): KnownKey | null => {
    if (known !== null) watched.touch(known.key.id);
    return known;
  };
  return {
    byDigest: async (digest) => touched(await byDigest.find(digest)),
    byId: async (id) => touched(await byId.find(id)),
    isCurrent: (known) => !known.revoked.aborted && watched.latest(known) === known,
    refresh,
  };
}

interface Watched {
  known: KnownKey;
  readonly controller: AbortController;
}

/** The latest state of every key that somebody may have come in by, the longest unused first. */
function createWatchList(capacity: number) {
  const entries = new Map<KeyId, Watched>();

  function add(key: ApiKey): KnownKey {
    const [oldest] = entries.values();
    if (entries.size >= capacity && oldest !== undefined) end(oldest);
    const controller = new AbortController();
    const known = { key, revoked: controller.signal };
    entries.set(key.id, { known, controller });
    if (key.revokedAt !== null) controller.abort(revoked());
    return known;
  }

  function end({ known, controller }: Watched): void {
    entries.delete(known.key.id);
    controller.abort(revoked());
  }

  function update(id: KeyId, key: ApiKey | null): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    const { key: before } = entry.known;
    // A revocation is final: what says otherwise was read before it.
    if (before.revokedAt !== null && key !== null) return;
    const ends = key === null || key.revokedAt !== null || before.expiresAt !== key.expiresAt;
    if (ends) end(entry);
    if (key === null) return;
    if (ends) add(key);
    else if (!isSame(before, key)) entry.known = { ...entry.known, key };
  }

  function touch(id: KeyId): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    entries.set(id, entry);
  }

  return {
    /** The shared form of a key that was just read. */
    admit(key: ApiKey | null): KnownKey | null {
      if (key === null) return null;
      update(key.id, key);
      return entries.get(key.id)?.known ?? add(key);
    },
    update,
    touch,
    /** What has become of a key; null when it is not watched any more. */
    latest: ({ key }: KnownKey): KnownKey | null => entries.get(key.id)?.known ?? null,
    ids: (): readonly KeyId[] => [...entries.keys()],
  };
}

function revoked(): AppError {
  return new AppError('auth_revoked', 'The API key was revoked');
}

/** Its use does not change a key. */
function isSame(one: ApiKey, other: ApiKey): boolean {
  return JSON.stringify({ ...one, lastUsedAt: null }) === JSON.stringify({ ...other, lastUsedAt: null });
}

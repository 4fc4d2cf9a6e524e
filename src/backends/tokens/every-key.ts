import type { ApiKey } from '../../core/access.ts';
import type { KeyId } from '../../core/ids.ts';
import type { AccessStore } from '../../core/ports/store.ts';

const PAGE = 500;

/** The keys of all applications, newest first, read from the store page by page as they are asked for. */
export async function* everyKey(store: Pick<AccessStore, 'listKeys'>): AsyncGenerator<ApiKey> {
  let after: KeyId | null = null;
  do {
    const page: readonly ApiKey[] = await store.listKeys(null, { limit: PAGE, after });
    yield* page;
    after = page.length < PAGE ? null : (page.at(-1)?.id ?? null);
  } while (after !== null);
}

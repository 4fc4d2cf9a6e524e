import type { SearchStore } from '../../../core/ports/search-store.ts';
import type { TokenStore } from '../../../core/ports/token-store.ts';
import { fillSearch } from './fill-search.ts';
import type { Session } from './session.ts';
import { noteTokens, uncountedMessages } from './tokens.ts';

/** The store's operations on what is worked out of messages after they were stored. */
export function derivedOperations(session: Session): SearchStore & TokenStore {
  return {
    fillSearch: (limit) => fillSearch(session, limit),
    uncountedMessages: (owner, ref, limit) => uncountedMessages(session, { owner, ref, limit }),
    noteTokens: (counts) => noteTokens(session, counts),
  };
}

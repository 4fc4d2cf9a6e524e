import type { RawRequest } from './byte-exchange.ts';
import { exampleBodies, type Known } from './examples.ts';
import { fill, type Route } from './routes.ts';
import { unknown } from './slots.ts';

interface Sender {
  /** Whom the request names wherever its dialect lets it; null: only where it must name somebody. */
  readonly user: string | null;
  /** A user's conversation. */
  readonly known: Known;
}

/** Whom requests name that must name somebody although the test does not. */
const SOMEBODY = 'ann';
const JSON_TYPE = ['content-type', 'application/json'] as const;
const BY_HEADER = ['native', 'chat-sessions'];

/** A well-formed request to a route, without a credential, of the one conversation where it must exist, else of ids that nobody has used. */
export function requestAs(route: Route, { user, known }: Sender): RawRequest {
  const name = user ?? SOMEBODY;
  const ids = { ...(route.key === 'levia POST /' ? known : unknown), user_id: name };
  const header = user !== null && BY_HEADER.includes(route.dialect) ? [['x-user-id', user] as const] : [];
  const query = user !== null && takesUserInQuery(route) ? `?user_id=${user}` : '';
  const [example] = exampleBodies(route, ids);
  // A thread id that a graph request chose would be known from then on.
  const body = example && (route.dialect === 'graph' ? { ...example, user_id: user, thread_id: null } : example);
  return {
    method: route.method,
    path: fill(route, { ...ids, key_id: unknown.run_id }) + query,
    headers: [...header, ...(body ? [JSON_TYPE] : [])],
    ...(body && { body: JSON.stringify(body) }),
  };
}

function takesUserInQuery({ dialect, path }: Route): boolean {
  return dialect === 'graph' && path.includes(':thread_id');
}

/** Whether a route's request names a user; `unasked`: because it must, whatever the test wants. */
export function namesUser(route: Route, { unasked = false } = {}): boolean {
  const { dialect, key, path } = route;
  if (dialect === 'levia') return key !== 'levia GET /stream/:request_id';
  if (dialect === 'user-chat') return true;
  if (unasked) return false;
  return BY_HEADER.includes(dialect) || takesUserInQuery(route) || !path.endsWith('/health');
}

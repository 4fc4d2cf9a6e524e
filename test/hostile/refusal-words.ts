import { headerOf, type RawAnswer } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import type { Route } from './routes.ts';

/** What becomes of a request with a credential; `unknown`: it is answered as if there were nothing. */
export type Verdict = 'let in' | 'unknown' | Refused;
type Refused = 'auth_invalid' | 'auth_expired' | 'auth_other_user' | 'scope_denied';

type Words = Readonly<Partial<Record<Refused, readonly [status: number, field: string, words: string | RegExp]>>>;

/** How each dialect says no, and `''` what belongs to none. A new dialect has its line here. */
const words: Readonly<Record<string, Words>> = {
  '': { auth_invalid: [401, 'code', 'auth_invalid'], scope_denied: [403, 'code', 'scope_denied'] },
  native: { auth_invalid: [401, 'code', 'auth_invalid'], scope_denied: [403, 'code', 'scope_denied'] },
  levia: {
    auth_invalid: [401, 'message', 'Invalid or missing API key'],
    scope_denied: [403, 'message', /scope|does not count|may not act/],
  },
  'chat-sessions': { auth_invalid: [401, 'detail', 'Could not validate credentials'], scope_denied: [403, 'code', 'scope_denied'] },
  graph: {
    auth_invalid: [403, 'detail', 'Invalid API Key'],
    auth_other_user: [403, 'detail', 'The token belongs to another user.'],
    scope_denied: [403, 'detail', /scope|does not count|may not act/],
  },
  'user-chat': {
    auth_invalid: [401, 'code', 'AUTH_003'],
    auth_expired: [401, 'code', 'AUTH_002'],
    auth_other_user: [401, 'code', 'AUTH_001'],
    scope_denied: [403, 'code', 'AUTH_006'],
  },
};

/** What is wrong with the refusal of a request; null when it is refused as its dialect does. */
export function refusalProblem(route: Route, verdict: Exclude<Verdict, 'let in'>, answer: RawAnswer): string | null {
  if (verdict === 'unknown') return unknownProblem(answer);
  const expected = words[route.dialect]?.[verdict];
  if (!expected) return `has no words: give test/hostile/refusal-words.ts some for ${verdict} in ${route.dialect}`;
  const [status, field, said] = expected;
  if (answer.status !== status) return `is not refused with ${status}`;
  const shape = shapeProblem(route.dialect, answer);
  if (shape) return shape;
  if ((headerOf(answer, 'www-authenticate') !== null) !== (status === 401)) return 'has the wrong challenge';
  const text = String((JSON.parse(answer.body) as Readonly<Record<string, unknown>>)[field]);
  return (typeof said === 'string' ? text === said : said.test(text)) ? null : `does not say ${said}`;
}

/** Levia's ways to say that there is nothing. */
function unknownProblem({ status, body }: RawAnswer): string | null {
  const known: Readonly<Record<number, RegExp>> = {
    401: /"Invalid or missing API key"|"Session ID does not exist or has expired"/,
    404: /"No active request found for this user"/,
  };
  return known[status]?.test(body) ? null : 'is not answered like what does not exist';
}

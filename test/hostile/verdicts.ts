import { expect } from 'vitest';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { inParallel } from '../support/parallel.ts';
import { exchange, type RawAnswer } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import { requestAs } from './named-request.ts';
import { type Kind, type Place, places } from './places.ts';
import { refusalProblem, type Verdict } from './refusal-words.ts';
import type { Route } from './routes.ts';
import type { Target } from './target.ts';

/** What should become of a route's requests. */
export type Judge = (route: Route) => Verdict;

/** A credential to show at every route, in every place. */
export interface Case {
  readonly credential: string;
  readonly kind: Kind;
  /** The user whom requests name wherever their dialect lets them; null names nobody but in paths and bodies that must name somebody. */
  readonly user: string | null;
  readonly judge: Judge;
}

/** The one address that is no dialect's and asks for a credential. */
const METRICS: Route = { dialect: '', method: 'GET', path: '/metrics', key: 'GET /metrics' };
/** Whether something runs for a user just now is chance. */
const BY_CHANCE = 'levia GET /request/:user_id';
const BY_CHANCE_STATUSES = [200, 404];

export const isReading = ({ method }: Route) => method === 'GET';
export const isMetrics = ({ key }: Route) => key === METRICS.key;
export const isAdministration = (route: Route) =>
  /^native (\w+ \/keys|(POST|PATCH|DELETE) \/agents|GET \/agents\/:agent_id\/versions)/.test(route.key);
export const always: (verdict: Verdict) => Judge = (verdict) => () => verdict;

/** What speaks for ann alone, where ann asks. */
export const judgeAnn: Judge = (route) => {
  const isServerOnly = isAdministration(route) || isMetrics(route) || route.key === 'native POST /tokens';
  return isServerOnly ? 'scope_denied' : 'let in';
};

/** Compares what becomes of a credential with what should. */
export interface Bench {
  readonly routes: readonly Route[];
  /**
   * Sends every route's request with the credential in every place: what is let in is answered as to the development key, what is not in the
   * dialect's own words. Where its kind does not count it is a wrong credential, whatever it may do elsewhere.
   */
  expectVerdicts(testCase: Case): Promise<void>;
}

export function createBench(target: Target): Bench {
  // A plain request to the chat socket's address is answered alike whoever sends it.
  const routes = [...target.routes.filter(({ dialect }) => dialect !== 'chat-ws'), METRICS];
  const attempts = routes.flatMap((route) => places.filter((place) => place.isReadBy(route)).map((place) => ({ route, place })));
  const usualStatuses = new Map<string, Promise<readonly number[]>>();

  function send(route: Route, { credential, user, place }: { credential: string; user: string | null; place: Place }): Promise<RawAnswer> {
    return exchange(target.app.url, place.put(requestAs(route, { user, known: target.ann }), credential));
  }

  /** The statuses in which the development key is answered; asked once, as no credential changes them. */
  function usualOf(route: Route, user: string | null): Promise<readonly number[]> {
    const name = `${route.method} ${route.path} ${user}`;
    const [place] = places;
    const ask = async () => (place ? [(await send(route, { credential: DEVELOPMENT_KEY, user, place })).status] : []);
    const usual = usualStatuses.get(name) ?? (route.key === BY_CHANCE ? Promise.resolve(BY_CHANCE_STATUSES) : ask());
    usualStatuses.set(name, usual);
    return usual;
  }

  async function problemOf(route: Route, place: Place, testCase: Case): Promise<string | null> {
    const answer = await send(route, { ...testCase, place });
    const verdict = place.kinds.includes(testCase.kind) ? testCase.judge(route) : 'auth_invalid';
    const problem = verdict === 'let in' ? await differs(route, testCase, answer) : refusalProblem(route, verdict, answer);
    return problem && `${route.key} at ${route.path}, ${place.name}, ${problem}: ${answer.status} ${answer.body.slice(0, 120)}`;
  }

  async function differs(route: Route, { user }: Case, answer: RawAnswer): Promise<string | null> {
    const usual = await usualOf(route, user);
    if (!usual.includes(answer.status)) return `is not answered as usual, ${usual}`;
    return answer.status < 400 ? null : shapeProblem(route.dialect, answer);
  }

  return {
    routes,
    async expectVerdicts(testCase) {
      const problems: string[] = [];
      await inParallel(attempts, 8, async ({ route, place }) => {
        const problem = await problemOf(route, place, testCase);
        if (problem) problems.push(problem);
      });
      expect(problems.slice(0, 20)).toEqual([]);
      expect(attempts.length).toBeGreaterThan(80);
    },
  };
}

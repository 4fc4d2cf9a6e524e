import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_APPLICATION, type KeyId } from '../../src/core/ids.ts';
import { SCOPES } from '../../src/core/principal.ts';
import { exchangeBytes, headerOf, type RawAnswer, requestBytes } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import { exampleBodies, exampleForm } from './examples.ts';
import { type Kind, type Place, places } from './places.ts';
import { fill, needsServerKey, type Route } from './routes.ts';
import { startTarget, type Target } from './target.ts';

/** Time for a server to read all the heads that it has been sent. */
const HEADS_MS = 700;
/** For so long after its `exp` a token still counts, because clocks differ. */
const TOLERANCE_SECONDS = 30;

type Words = Readonly<Record<string, readonly [status: number, field: string, words: string]>>;

/** How each dialect says that a credential counts no more. A new dialect has its line in both. */
const revoked: Words = {
  native: [401, 'code', 'auth_revoked'],
  levia: [401, 'message', 'Invalid or missing API key'],
  'chat-sessions': [401, 'code', 'auth_revoked'],
  graph: [403, 'detail', 'Invalid API Key'],
  'user-chat': [401, 'code', 'AUTH_007'],
};
const expired: Words = {
  native: [401, 'code', 'auth_invalid'],
  levia: [401, 'message', 'Invalid or missing API key'],
  'chat-sessions': [401, 'code', 'auth_invalid'],
  graph: [403, 'detail', 'Invalid API Key'],
  'user-chat': [401, 'code', 'AUTH_002'],
};

let target: Target;
let routes: readonly Route[];
/** Keys that a test made. */
const own: KeyId[] = [];

beforeAll(async () => {
  target = await startTarget();
  // Of a user's uploads only as many come in at once as the routes under one of the two prefixes have places for a key.
  const isSecondUpload = (route: Route) => exampleForm(route) !== null && route.path.startsWith('/api/');
  routes = target.routes.filter((route) => route.method !== 'GET' && !isSecondUpload(route));
});

afterAll(() => target.close());

/** A good request of ann's own conversation, with a body whether or not the route takes one. */
function bytesOf(route: Route, credential: string, place: Place): Buffer {
  const { ann } = target;
  const form = exampleForm(route);
  const body = form?.body ?? JSON.stringify(exampleBodies(route, ann)[0] ?? {});
  const headers = [
    ['x-user-id', ann.user_id],
    ['content-type', form?.type ?? 'application/json'],
  ] as const;
  return requestBytes(place.put({ method: route.method, path: fill(route, { ...ann }), headers, body }, credential));
}

function problemOf({ dialect }: Route, answer: RawAnswer, words: Words): string | null {
  const [status, field, said] = words[dialect] ?? expect.fail(`no words for ${dialect}`);
  if (answer.status !== status) return `is ${answer.status}`;
  const shape = shapeProblem(dialect, answer);
  if (shape) return shape;
  if ((headerOf(answer, 'www-authenticate') !== null) !== (status === 401)) return 'has the wrong challenge';
  const text = (JSON.parse(answer.body) as Readonly<Record<string, unknown>>)[field];
  return text === said ? null : `says ${text}`;
}

/** Where these requests may carry such a credential: a token in one place, a key in two. */
function placesOf(route: Route, kind: Kind): readonly Place[] {
  return places.filter((place) => place.kinds.includes(kind) && place.isReadBy(route));
}

/** Sends all but the last byte to every one of these routes, in every place, does something, sends the rest, and expects refusals in these words. */
async function expectRefused(
  sent: readonly Route[],
  { kind, credential }: { kind: Kind; credential: string },
  { words, between }: { words: Words; between: () => Promise<unknown> },
) {
  const meanwhile = new Promise((resolve) => setTimeout(resolve, HEADS_MS)).then(between);
  const requests = sent.flatMap((route) => placesOf(route, kind).map((place) => ({ route, place })));
  const answers = requests.map(async ({ route, place }) => {
    const bytes = bytesOf(route, credential, place);
    const answer = await exchangeBytes(
      target.app.url,
      bytes.subarray(0, -1),
      meanwhile.then(() => bytes.subarray(-1)),
    );
    const problem = problemOf(route, answer, words);
    return problem === null ? [] : [`${route.key} at ${route.path} by ${place.name} ${problem}: ${answer.body.slice(0, 120)}`];
  });
  expect((await Promise.all(answers)).flat()).toEqual([]);
  expect(requests.length).toBeGreaterThan(kind === 'key' ? 40 : 20);
}

async function makeKey(expiresAt: number | null = null) {
  const made = await target.app.access.createKey({ applicationId: DEFAULT_APPLICATION, name: 'K', scopes: [...SCOPES], expiresAt });
  own.push(made.key.id);
  return { ...made, revoke: () => target.app.access.revokeKey(null, made.key.id) };
}

test('a key that was revoked before the last byte does nothing', async () => {
  const { secret, revoke } = await makeKey();
  await expectRefused(routes, { kind: 'key', credential: secret }, { words: revoked, between: revoke });
});

test('a token does nothing whose key was revoked before the last byte', async () => {
  const { key, revoke } = await makeKey();
  const claims = { applicationId: DEFAULT_APPLICATION, userId: 'ann', keyId: key.id, expiresInSeconds: 600 };
  const { token } = await target.app.access.issueToken(claims);
  const forUsers = routes.filter((route) => !needsServerKey(route));
  await expectRefused(forUsers, { kind: 'token', credential: token }, { words: revoked, between: revoke });
});

test.each<[Kind, (at: number) => Promise<string>]>([
  ['key', async (at: number) => (await makeKey(at)).secret],
  ['token', async (at: number) => target.app.token('ann', Math.ceil((at - Date.now()) / 1000) - TOLERANCE_SECONDS)],
])('a %s whose time was over before the last byte does nothing', async (kind, make) => {
  const credential = await make(Date.now() + 2_500);
  const between = () => new Promise((resolve) => setTimeout(resolve, 3_600 - HEADS_MS));
  const sent = routes.filter((route) => kind === 'key' || !needsServerKey(route));
  await expectRefused(sent, { kind, credential }, { words: expired, between });
});

test('nothing of all that was written', async () => {
  const rows = await target.stopAndCompare();
  const foreign = rows.filter((row) => !row.includes('access_version') && !own.some((id) => row.includes(id)));
  expect(foreign).toEqual([]);
});

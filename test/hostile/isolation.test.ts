import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { exchange, type RawAnswer, type RawRequest } from './byte-exchange.ts';
import { exampleBodies, idFields, type Known } from './examples.ts';
import { fill, type Route, slotsOf } from './routes.ts';
import { startTarget, type Target } from './target.ts';

type Header = readonly [string, string];

const JSON_TYPE: Header = ['content-type', 'application/json'];
const unknown: Known = {
  thread_id: '01900000-0000-7000-8000-00000000dead',
  run_id: '01900000-0000-7000-8000-00000000dead',
  request_id: '01900000-0000-7000-8000-00000000dead',
  message_id: '01900000-0000-7000-8000-00000000dead',
  user_id: 'nobody',
  session_id: '4611686018427387',
};

let target: Target;
let strangers: Readonly<Record<string, readonly Header[]>>;
let owner: readonly Header[];

beforeAll(async () => {
  target = await startTarget();
  owner = [['authorization', `Bearer ${await target.app.token('ann')}`]];
  strangers = {
    'another user': [['authorization', `Bearer ${await target.app.token('bob')}`]],
    'a key acting for another user': [
      ['x-api-key', DEVELOPMENT_KEY],
      ['x-user-id', 'bob'],
    ],
    nobody: [],
    'a forger': [
      ['authorization', `Bearer ${await target.app.token('bob')}`],
      ['x-user-id', 'ann'],
    ],
  };
});

afterAll(async () => {
  await target.app.close();
});

/** The answer without what differs from one request to the next. */
function comparable({ status, headers, body }: RawAnswer): string {
  const kept = headers.filter(([name]) => !['date', 'x-request-id'].includes(name));
  return JSON.stringify([status, kept, body.replace(/"request_id":"[^"]*"/, '')]);
}

/** A place in a route's requests that takes an id. */
interface Slot {
  readonly route: Route;
  readonly name: string;
  /** The request with the id of this owner in the slot and everything else the sender's own. */
  request(ids: Known): RawRequest;
}

function pathSlots(route: Route): Slot[] {
  const body = JSON.stringify(exampleBodies(route, target.ann).at(-1) ?? {});
  const more = ['POST', 'PUT', 'PATCH'].includes(route.method) ? { headers: [JSON_TYPE], body } : {};
  return slotsOf(route).map((name) => ({
    route,
    name,
    request: (ids) => ({ method: route.method, path: fill(route, { ...target.bob, [name]: ids[name as keyof Known] }), ...more }),
  }));
}

function bodySlots(route: Route): Slot[] {
  return Object.entries(idFields[route.key] ?? {}).map(([field, kind]) => {
    const example = exampleBodies(route, target.bob).find((body) => field in body) ?? expect.fail(`no example with ${field}`);
    const idOf = (ids: Known) => (typeof example[field] === 'number' ? Number(ids[kind]) : ids[kind]);
    const request = (ids: Known): RawRequest => ({
      method: route.method,
      path: fill(route, { ...target.bob }),
      headers: [JSON_TYPE],
      body: JSON.stringify({ ...example, [field]: idOf(ids) }),
    });
    return { route, name: `body ${field}`, request };
  });
}

const allSlots = () => target.routes.flatMap((route) => [...pathSlots(route), ...bodySlots(route)]);

function send(request: RawRequest, credentials: readonly Header[]): Promise<RawAnswer> {
  return exchange(target.app.url, { ...request, headers: [...(request.headers ?? []), ...credentials] });
}

/** What levia promises to a key that acts for all users of its application. */
function isVisibleToKeys({ route, name }: Slot): boolean {
  return route.dialect === 'levia' && ['body session_id', 'request_id'].includes(name);
}

describe('an id of somebody else', () => {
  test.each(['another user', 'a key acting for another user', 'nobody', 'a forger'])(
    'is answered to %s byte for byte like one that was never used',
    async (stranger) => {
      const problems: string[] = [];
      const credentials = strangers[stranger] ?? [];
      const slots = allSlots().filter((slot) => stranger !== 'a key acting for another user' || !isVisibleToKeys(slot));
      for (const slot of slots) {
        const foreign = await send(slot.request(target.ann), credentials);
        const never = await send(slot.request(unknown), credentials);
        const place = `${slot.route.method} ${slot.route.path} ${slot.name}`;
        if (comparable(foreign) !== comparable(never)) problems.push(`${place}: ${comparable(foreign)} but ${comparable(never)}`);
        const isFrame = slot.route.key === 'levia GET /stream/:request_id';
        if (never.status < 400 && !(isFrame && never.body.includes('Invalid or expired'))) problems.push(`${place}: ${never.status}`);
      }
      expect(problems.slice(0, 10)).toEqual([]);
      expect(slots.length).toBeGreaterThan(15);
    },
  );

  test('is found by its owner', async () => {
    const problems: string[] = [];
    for (const slot of allSlots().filter(({ route, name }) => route.method === 'GET' && name !== 'user_id')) {
      const answer = await send(slot.request(target.ann), owner);
      if (answer.status !== 200 || answer.body.includes('Invalid or expired')) problems.push(`${slot.route.path}: ${answer.status}`);
    }
    expect(problems).toEqual([]);
  });

  test('is known to a levia key of its application, as the protocol says', async () => {
    const key: readonly Header[] = [['authorization', `Bearer ${DEVELOPMENT_KEY}`]];
    const [session, request] = ['body session_id', 'request_id'].map(
      (wanted) => allSlots().find(({ route, name }) => route.dialect === 'levia' && name === wanted) ?? expect.fail(wanted),
    );
    const refused = await send((session ?? expect.fail()).request(target.ann), key);
    expect([refused.status, JSON.parse(refused.body)]).toEqual([
      401,
      { status: 'error', message: 'Session ID does not belong to this user' },
    ]);
    const unknownToo = await send((session ?? expect.fail()).request(unknown), key);
    expect(JSON.parse(unknownToo.body)).toEqual({ status: 'error', message: 'Session ID does not exist or has expired' });
    expect((await send((request ?? expect.fail()).request(target.ann), key)).body).toContain('"type":"complete"');
  });
});

test('nothing of one user is in what another one gets', async () => {
  const credentials = strangers['another user'] ?? [];
  const traces = [target.ann.thread_id, target.ann.run_id, target.ann.session_id, target.ann.message_id, 'secret of ann'];
  const found: string[] = [];
  for (const route of target.routes.filter(({ method }) => method === 'GET')) {
    const answer = await send({ method: 'GET', path: fill(route, { ...target.bob }) }, credentials);
    const whole = JSON.stringify(answer);
    for (const trace of traces) if (whole.includes(trace)) found.push(`${route.path}: ${trace}`);
  }
  expect(found).toEqual([]);
});

test('after all this nothing is stored, changed or broken', async () => {
  expect(target.app.log()).not.toMatch(/"level":50|request failed/);
  expect(await target.stopAndCompare()).toEqual([]);
});

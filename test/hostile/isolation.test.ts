import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { exchange, type RawAnswer, type RawRequest } from './byte-exchange.ts';
import { answerTo, frameSlots, unlistedFields } from './frame-slots.ts';
import { inputsThat, unlistedInputs } from './named-inputs.ts';
import { fill, needsServerKey, type Route } from './routes.ts';
import { allSlots, type Slot, unknown } from './slots.ts';
import { converse, OTHER_APPLICATION, startTarget, type Target } from './target.ts';

/** Somebody who sends requests, with what they carry where. */
interface Sender {
  readonly headers: readonly (readonly [string, string])[];
  /** Of a chat socket. */
  readonly query: string;
}

const senders = [
  'another user',
  'a key of another user',
  'a key acting for another user',
  'the same name in another application',
  'a token of the same name in another application',
  'nobody',
  'a forger',
] as const;

let target: Target;
let strangers: Readonly<Record<(typeof senders)[number], Sender>>;
let owner: Sender;

beforeAll(async () => {
  target = await startTarget();
  const [ann, bob] = [await target.app.token('ann'), await target.app.token('bob')];
  const elsewhere = { applicationId: OTHER_APPLICATION, userId: 'ann', keyId: null, expiresInSeconds: 600 };
  const namesake = await target.app.access.issueToken(elsewhere);
  const bearer = (token: string) => ['authorization', `Bearer ${token}`] as const;
  owner = { headers: [bearer(ann)], query: `?token=${ann}` };
  strangers = {
    'another user': { headers: [bearer(bob)], query: `?token=${bob}` },
    'a key of another user': { headers: [['x-api-key', target.bobsKey], bearer(target.bobsKey)], query: `?key=${target.bobsKey}` },
    'a key acting for another user': {
      headers: [
        ['x-api-key', DEVELOPMENT_KEY],
        ['x-user-id', 'bob'],
      ],
      query: `?key=${DEVELOPMENT_KEY}&user_id=bob`,
    },
    'the same name in another application': {
      headers: [
        ['x-api-key', target.foreignKey],
        ['authorization', `Bearer ${target.foreignKey}`],
        ['x-user-id', 'ann'],
      ],
      query: `?key=${target.foreignKey}&user_id=ann`,
    },
    'a token of the same name in another application': { headers: [bearer(namesake.token)], query: `?token=${namesake.token}` },
    nobody: { headers: [], query: '' },
    'a forger': { headers: [bearer(bob), ['x-user-id', 'ann']], query: `?token=${bob}&user_id=ann` },
  };
});

afterAll(() => target.close());

/** The answer without what differs from one request to the next. */
function comparable({ status, headers, body }: RawAnswer): string {
  const kept = headers.filter(([name]) => !['date', 'x-request-id'].includes(name));
  return JSON.stringify([status, kept, body.replace(/"request_id":"[^"]*"/, '')]);
}

function send(request: RawRequest, { headers }: Sender): Promise<RawAnswer> {
  return exchange(target.app.url, { ...request, headers: [...(request.headers ?? []), ...headers] });
}

/** What belongs to an application as a whole, or some protocols promise to a key that acts for all of its users: levia's ids, the user in a path. */
function isVisibleToKeys({ route, name }: Slot): boolean {
  const visible: Readonly<Record<string, readonly string[]>> = {
    native: ['key_id', 'agent_id', 'body user_id'],
    levia: ['body session_id', 'body user_id', 'request_id'],
    graph: ['body user_id', 'query user_id'],
    'user-chat': ['user_id'],
  };
  return name.split(', ').some((part) => visible[route.dialect]?.includes(part));
}

const isNamesake = (stranger: string) => stranger.includes('the same name in another application');

/** Whether a slot means nothing foreign to this sender: a user is, to another application, a user of its own. */
function mayUse(slot: Slot, stranger: string): boolean {
  if (stranger === 'a key acting for another user') return isVisibleToKeys(slot);
  // Agents are the application's, for all of its users.
  if (slot.route.key === 'native GET /agents/:agent_id') return !isNamesake(stranger) && stranger !== 'nobody';
  if (!isNamesake(stranger)) return false;
  const isOwnName = slot.route.dialect === 'user-chat' && slot.name.includes('user_id');
  return isOwnName || slot.name === 'body user_id' || (stranger.includes('a token') && slot.name.includes('query user_id'));
}

/** Says in the query of a graph request for whom a key acts, as that protocol wants it. */
function named({ route }: Slot, request: RawRequest, stranger: string): RawRequest {
  const isNamed = route.dialect === 'graph' && stranger === 'a key acting for another user';
  return isNamed ? { ...request, path: `${request.path}?user_id=bob` } : request;
}

const isUnknownFrame = ({ body }: RawAnswer) => body.includes('Invalid or expired');

test('no place that may take an id is forgotten here', async () => {
  expect(await unlistedInputs(target.routes, target.ann)).toEqual([]);
  expect(unlistedFields()).toEqual([]);
});

describe('an id of somebody else', () => {
  test.each(senders)('in a request is answered to %s byte for byte like one that was never used', async (stranger) => {
    const problems: string[] = [];
    const slots = allSlots(target.routes).filter((slot) => !mayUse(slot, stranger));
    for (const slot of slots) {
      const [foreign, never] = [target.ann, unknown].map((ids) => named(slot, slot.request(ids, target.bob), stranger));
      const answer = comparable(await send(foreign ?? expect.fail(), strangers[stranger]));
      const usual = await send(never ?? expect.fail(), strangers[stranger]);
      const place = `${slot.route.method} ${slot.route.path} ${slot.name}`;
      if (answer !== comparable(usual)) problems.push(`${place}: ${answer} but ${comparable(usual)}`);
      if (usual.status < 400 && !(slot.route.key === 'levia GET /stream/:request_id' && isUnknownFrame(usual)))
        problems.push(`${place}: ${usual.status}`);
    }
    expect(problems.slice(0, 10)).toEqual([]);
    expect(slots.length).toBeGreaterThan(25);
  });

  const closed = frameSlots.filter(({ opens }) => !opens);

  test.each(senders)('in a frame is answered to %s byte for byte like one that was never used', async (stranger) => {
    for (const slot of closed) {
      const [foreign, never] = await Promise.all(
        [target.ann, unknown].map(async (ids) => {
          const answer = JSON.stringify(await answerTo(target.app.url, { query: strangers[stranger].query }, slot.frame(ids, target.bob)));
          // What a frame was about is said again, and a greeting is made at some time.
          return Object.values(ids)
            .reduce((text, id) => text.replaceAll(id, 'ID'), answer)
            .replace(/"created_at":"[^"]*"/, '');
        }),
      );
      expect(foreign, slot.name).toBe(never);
      expect(foreign, slot.name).toContain(stranger === 'nobody' ? '"closed":1008' : '"closed":null');
    }
    expect(closed.length).toBeGreaterThanOrEqual(5);
  });

  test('is known to a levia key of its application, as the protocol says', async () => {
    const key: Sender = { headers: [['authorization', `Bearer ${DEVELOPMENT_KEY}`]], query: '' };
    const [session, request] = ['body session_id', 'request_id'].map(
      (wanted) => allSlots(target.routes).find(({ route, name }) => route.dialect === 'levia' && name === wanted) ?? expect.fail(wanted),
    );
    const refused = await send((session ?? expect.fail()).request(target.ann, target.bob), key);
    expect([refused.status, JSON.parse(refused.body)]).toEqual([
      401,
      { status: 'error', message: 'Session ID does not belong to this user' },
    ]);
    const unknownToo = await send((session ?? expect.fail()).request(unknown, target.bob), key);
    expect(JSON.parse(unknownToo.body)).toEqual({ status: 'error', message: 'Session ID does not exist or has expired' });
    expect((await send((request ?? expect.fail()).request(target.ann, target.bob), key)).body).toContain('"type":"complete"');
  });
});

/** Words that everybody's conversation has here. */
function searchesOf({ key }: Route): readonly string[] {
  const searches: Readonly<Record<string, string>> = { 'native GET /threads': 'q', 'chat-sessions GET /history': 'search_term' };
  const name = searches[key];
  return name === undefined ? [] : [`?${name}=secret`, `?${name}=of+s`];
}

test.each(senders)('nothing of one user is in what %s gets', async (stranger) => {
  const { thread_id, run_id, session_id, message_id, file_id, key_id } = target.ann;
  // Keys are the application's.
  const keys = stranger === 'a key acting for another user' ? [] : [key_id];
  const traces = [thread_id, run_id, session_id, message_id, file_id, 'secret of ann', ...keys];
  const found: string[] = [];
  // A namesake asks for what is its own under the name that both have; the others ask as bob.
  const ids = { ...target.bob, ...(isNamesake(stranger) && { user_id: 'ann' }) };
  for (const route of target.routes.filter(({ method }) => method === 'GET')) {
    const places = inputsThat('place', route).map(([input, write]) => `?${input.slice('query '.length)}=${write(target.ann)}`);
    for (const query of ['', ...places, ...searchesOf(route)]) {
      const whole = JSON.stringify(await send({ method: 'GET', path: fill(route, ids) + query }, strangers[stranger]));
      for (const trace of traces) if (whole.includes(trace)) found.push(`${route.path}${query}: ${trace}`);
    }
  }
  expect(found).toEqual([]);
});

test('after all this nothing is stored, changed or broken', async () => {
  expect(target.app.log()).not.toMatch(/"level":50|request failed/);
  expect(await target.stopAndCompare()).toEqual([]);
});

describe('an id of the sender', () => {
  let own: Target;
  beforeAll(async () => {
    own = await startTarget();
  });
  afterAll(() => own.close());

  const ask = ({ route }: Slot, request: RawRequest) => {
    const headers = needsServerKey(route) ? [['x-api-key', DEVELOPMENT_KEY] as const] : owner.headers;
    return exchange(own.app.url, { ...request, headers: [...(request.headers ?? []), ...headers] });
  };

  test('in a request is known', async () => {
    const problems: string[] = [];
    for (const slot of allSlots(own.routes)) {
      const ann = await converse(own.app, 'ann');
      const answer = await ask(slot, slot.request(ann, ann));
      const never = await ask(slot, slot.request(unknown, ann));
      const isKnown = answer.status < 400 && !isUnknownFrame(answer);
      // Nothing is under way that levia could name.
      if (!isKnown && slot.route.key !== 'levia GET /request/:user_id')
        problems.push(`${slot.route.method} ${slot.route.path} ${slot.name}: ${answer.status} ${answer.body.slice(0, 200)}`);
      if (isKnown && comparable(answer) === comparable(never)) problems.push(`${slot.route.path} ${slot.name} knows everything`);
    }
    expect(problems).toEqual([]);
  }, 150_000);

  test('in a frame is known', async () => {
    const known: Record<string, unknown> = {};
    for (const slot of frameSlots) {
      const ann = await converse(own.app, 'ann');
      const { frames } = await answerTo(own.app.url, { query: owner.query }, slot.frame(ann, ann));
      known[slot.name] = frames.map(({ type, code, role }) => code ?? role ?? type);
    }
    expect(known).toEqual({
      'history thread_id': ['user', 'assistant', 'history_end'],
      'history before': ['history_end'],
      'history thread_id, before': ['history_end'],
      'message thread_id': expect.arrayContaining(['message_received', 'assistant']),
      'delete_thread thread_id': ['thread_deleted'],
      'cancel job_id': ['assistant'],
      'approve job_id': ['approval_not_found'],
    });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FrontServer, startFrontServer } from '../../test/support/front-server.ts';
import { serverKey, userToken } from '../../test/support/principals.ts';
import { AppError } from '../core/errors.ts';
import type { Caller } from '../core/principal.ts';

/** When the server's clock begins. */
const START = 1_700_000_000_000;

let server: FrontServer;
let open: Caller[];
let revocation: AbortController;

beforeEach(async () => {
  open = [];
  revocation = new AbortController();
  const connect = (caller: Caller) => {
    if (open.length === 2) throw new AppError('too_many_connections', 'Too many streams are open.');
    open.push(caller);
    return () => void open.splice(open.indexOf(caller), 1);
  };
  const known = {
    plg_revocable: serverKey({ revoked: revocation.signal }),
    brief: userToken('ann', { expiresAt: START + 8_000 }),
  };
  server = await startFrontServer({ known, limits: { connect } });
});

afterEach(() => server.close());

const stream = (credential: string) => server.get('/door/stream', { authorization: `Bearer ${credential}` });

/** Whether a response broke off; gives what came before as well. */
async function broken(response: Response): Promise<boolean> {
  return response.text().then(
    () => false,
    () => true,
  );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('the streams of a caller', () => {
  it('are counted while they are open', async () => {
    const [first, second] = [await stream('jwt'), await stream('jwt')];
    expect(open.map(({ userId }) => userId)).toEqual(['ann', 'ann']);
    const refused = await stream('jwt');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({ code: 'too_many_connections' });
    server.streams[0]?.end();
    await first.text();
    await until(() => open.length === 1);
    expect((await stream('jwt')).status).toBe(200);
    server.streams[1]?.destroy();
    expect(await broken(second)).toBe(true);
    await until(() => open.length === 1);
  });
});

describe('a stream', () => {
  it('breaks off when its key is revoked, and no other does', async () => {
    const [revoked, other] = [await stream('plg_revocable'), await stream('jwt')];
    server.streams[0]?.write('data: x\n\n');
    revocation.abort();
    expect(await broken(revoked)).toBe(true);
    server.streams[1]?.end();
    expect(await broken(other)).toBe(false);
    await until(() => open.length === 0);
  });

  it('does not begin when its key is revoked by then', async () => {
    revocation.abort();
    const response = await stream('plg_revocable');
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await response.json()).toMatchObject({ code: 'auth_revoked' });
    expect(open).toEqual([]);
  });

  it('breaks off when its token is over, not before', async () => {
    const response = await stream('brief');
    const left = START + 8_000 - server.clock.now();
    server.clock.advance(left - 1);
    expect(server.streams[0]?.signal.aborted).toBe(false);
    server.clock.advance(1);
    expect(await broken(response)).toBe(true);
    await until(() => open.length === 0);
  });
});

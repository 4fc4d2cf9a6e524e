import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../clock/system-clock.ts';
import { createEgress, type EgressOptions } from './create-egress.ts';

let closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers) await close();
  closers = [];
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function open(options: Partial<EgressOptions> = {}) {
  const egress = createEgress({ allow: ['127.0.0.1'], maxBytes: 1_000, timeoutMs: 20_000, clock: systemClock, ...options });
  closers.push(egress.close);
  return egress.fetch;
}

test('redirects are followed, and the answer says where it comes from', async () => {
  const { origin } = await serve((request, response) => {
    if (request.url === '/end') response.setHeader('x-agent', request.headers.authorization ?? '').end('here');
    else response.writeHead(302, { location: '/end' }).end();
  });
  const response = await open()(`${origin}/start`, { headers: { authorization: 'Bearer t' } });
  expect([response.status, response.url, await response.text(), response.headers.get('x-agent')]).toEqual([
    200,
    `${origin}/end`,
    'here',
    'Bearer t',
  ]);
});

test('another origin gets no credentials, whatever their header', async () => {
  const seen: IncomingMessage['headers'][] = [];
  const other = await serve((request, response) => {
    seen.push(request.headers);
    response.end('ok');
  });
  const { origin } = await serve((_request, response) => response.writeHead(302, { location: other.origin }).end());
  const headers = { authorization: 'Bearer t', cookie: 'a=b', 'x-api-key': 'k', 'proxy-authorization': 'p', accept: 'text/plain' };
  expect(await (await open()(origin, { headers })).text()).toBe('ok');
  expect(seen[0]?.accept).toBe('text/plain');
  for (const name of ['authorization', 'cookie', 'x-api-key', 'proxy-authorization']) expect(seen[0]).not.toHaveProperty(name);
});

test('a body goes to its own origin only, and becomes nothing where a redirect makes a GET of it', async () => {
  const seen: string[] = [];
  const other = await serve((request, response) => {
    seen.push(`other ${request.method}`);
    response.end('ok');
  });
  const { origin } = await serve((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += piece));
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${body}`);
      const [, status, place] = /^\/(\d+)\/(.*)$/.exec(request.url ?? '') ?? [];
      if (status === undefined) response.end('ok');
      else response.writeHead(Number(status), { location: place === 'other' ? other.origin : '/end' }).end();
    });
  });
  const fetch = open();
  const post = { method: 'POST', body: 'data', headers: { 'content-type': 'text/plain' } };
  await fetch(`${origin}/307/here`, post);
  await fetch(`${origin}/303/here`, post);
  await fetch(`${origin}/301/other`, post);
  await expect(fetch(`${origin}/308/other`, post)).rejects.toMatchObject({ code: 'destination_refused' });
  expect(seen).toEqual([
    'POST /307/here data',
    'POST /end data',
    'POST /303/here data',
    'GET /end ',
    'POST /301/other data',
    'other GET',
    'POST /308/other data',
  ]);
});

test('five redirects are followed, a sixth is not', async () => {
  const { origin } = await serve((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end('there');
    else response.writeHead(307, { location: `/${left - 1}` }).end();
  });
  expect(await (await open()(`${origin}/5`)).text()).toBe('there');
  await expect(open()(`${origin}/6`)).rejects.toMatchObject({ code: 'too_many_redirects' });
  expect((await open()(`${origin}/6`, { redirect: 'manual' })).status).toBe(307);
  await expect(open()(`${origin}/6`, { redirect: 'error' })).rejects.toMatchObject({ code: 'destination_refused' });
});

test('an answer that is too large ends, also when it was small before decompression, and its connection is closed', async () => {
  let closed = 0;
  const { origin } = await serve((request, response) => {
    response.once('close', () => (closed += 1));
    if (request.url === '/packed') return void response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(5_000_000)));
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(1_000)));
    };
    response.on('drain', more);
    more();
  });
  for (const path of ['/packed', '/endless']) {
    const response = await open()(origin + path);
    await expect(response.text(), path).rejects.toMatchObject({ code: 'answer_too_large' });
  }
  await expect.poll(() => closed).toBe(2);
});

test('the time counts until the last byte, and an abort ends at once what is on its way', async () => {
  const { origin } = await serve((request, response) => {
    if (request.url === '/silent') return;
    response.write('begun');
  });
  let late: (() => void) | undefined;
  const clock = {
    after: (_ms: number, callback: () => void) => {
      late = callback;
      return () => {
        late = undefined;
      };
    },
  };
  const response = await open({ clock })(`${origin}/begun`);
  const text = expect(response.text()).rejects.toMatchObject({ code: 'timed_out' });
  late?.();
  await text;
  expect(late).toBeUndefined();
  const stop = new AbortController();
  const silent = expect(open()(`${origin}/silent`, { signal: stop.signal })).rejects.toThrow('enough');
  stop.abort(new Error('enough'));
  await silent;
});

test('errors tell nothing of what is behind a name', async () => {
  const fetch = open({ allow: [], resolve: async () => [{ address: '10.1.2.3', family: 4 }] });
  const error: unknown = await fetch('http://db.example:5432/').catch((found: unknown) => found);
  expect(String(error)).not.toMatch(/10\.1|5432|db\.example/);
});

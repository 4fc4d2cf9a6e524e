import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FrontServer, startFrontServer } from '../../test/support/front-server.ts';

let server: FrontServer;

beforeEach(async () => {
  server = await startFrontServer();
});

afterEach(() => server.close());

describe('an event stream', () => {
  it('has its headers at once and pings when idle', async () => {
    const response = await server.get('/door/stream', { origin: 'https://app.example' });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'x-run-id': 'r',
      'access-control-allow-origin': 'https://app.example',
    });
    const [stream] = server.streams;
    server.clock.advance(15_000);
    stream?.write('data: x\n\n');
    server.clock.advance(5_000);
    stream?.end();
    expect(await response.text()).toBe(': ping\n\ndata: x\n\n');
    expect(stream?.signal.aborted).toBe(true);
  });

  it('has its place behind the response that its connection still owes', async () => {
    const request = 'GET /door/stream HTTP/1.1\r\nHost: x\r\n\r\n';
    let answer = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.write(request + request));
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    await expect.poll(() => server.streams.length).toBe(2);
    for (const [at, stream] of [...server.streams.entries()].reverse()) {
      stream.write(`data: ${at}\n\n`);
      stream.end();
    }
    await expect.poll(() => answer.match(/^0\r\n\r\n/gm)?.length).toBe(2);
    const [, ...bodies] = answer.split(/HTTP\/1\.1 200 OK.*?\r\n\r\n/s);
    expect(bodies).toEqual(['9\r\ndata: 0\n\n\r\n0\r\n\r\n', '9\r\ndata: 1\n\n\r\n0\r\n\r\n']);
    socket.destroy();
  });

  it('is cut off when its client stops reading', async () => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write('GET /door/stream HTTP/1.1\r\nHost: x\r\n\r\n'));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    const stream = server.streams[0] ?? expect.fail('no stream');
    while (!stream.needsDrain()) {
      stream.write('x'.repeat(1_000_000));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    server.clock.advance(25_000);
    expect(stream.signal.aborted).toBe(false);
    const drained = stream.drained();
    server.clock.advance(30_000);
    await drained;
    await new Promise((resolve) => setImmediate(resolve));
    expect(stream.signal.aborted).toBe(true);
    socket.destroy();
  });

  it('that lasts has its connection for itself and notices when its client leaves', async () => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write('GET /door/lasting HTTP/1.1\r\nHost: x\r\n\r\n'));
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    await expect.poll(() => server.streams.length).toBe(1);
    const stream = server.streams[0] ?? expect.fail('no stream');
    // The parsers that were let go serve the next connections, which must have nothing to do with this one.
    socket.write('GET /door/who/1 HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await Promise.all(Array.from({ length: 8 }, async (_, at) => (await server.get(`/door/who/${at}`)).status))).toEqual(
      Array.from({ length: 8 }, () => 401),
    );
    stream.write('data: x\n\n');
    server.clock.advance(15_000);
    await expect.poll(() => answer).toContain('ping');
    const [head, body] = answer.split('\r\n\r\n9\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n.*^connection: close$/ims);
    expect(body).toBe('data: x\n\n\r\n8\r\n: ping\n\n\r\n');
    expect(stream.signal.aborted).toBe(false);
    socket.end();
    await expect.poll(() => stream.signal.aborted).toBe(true);
  });

  it('that lasts can end, with its connection', async () => {
    const answer = server.raw('GET /door/lasting HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(() => server.streams.length).toBe(1);
    server.streams[0]?.write('data: x\n\n');
    server.streams[0]?.end();
    expect(await answer).toMatch(/9\r\ndata: x\n\n\r\n0\r\n\r\n$/);
  });

  it('that lasts keeps no server from closing, even when its client has stopped reading before the end', async () => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write('GET /door/lasting HTTP/1.1\r\nHost: x\r\n\r\n'));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    const stream = server.streams[0] ?? expect.fail('no stream');
    stream.write('x'.repeat(20_000_000));
    stream.end();
    const closed = server.close();
    server.eventStreams.cut();
    await closed;
    await expect.poll(() => stream.signal.aborted).toBe(true);
    socket.destroy();
  });
});

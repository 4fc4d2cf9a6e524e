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
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createLogger } from './create-logger.ts';
import { createLogObserver } from './log-observer.ts';

function recordingLogger(level = 'info') {
  const lines: string[] = [];
  const log = createLogger(level, { write: (line) => void lines.push(line) });
  const entries = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, entries, text: () => lines.join('') };
}

test('a request shows method, path and id, and no query string', () => {
  const { log, entries, text } = recordingLogger();
  const request = { id: 'r1', method: 'GET', url: '/ws?token=s3cret#x', headers: { authorization: 'Bearer s3cret' }, body: 's3cret' };
  log.info({ req: request }, 'incoming request');
  expect(entries()[0]?.req).toEqual({ id: 'r1', method: 'GET', path: '/ws' });
  expect(text()).not.toContain('s3cret');
});

test.each(['authorization', 'x-api-key', 'cookie', 'set-cookie', 'sec-websocket-protocol'])(
  'the header %s is redacted wherever headers are logged',
  (name) => {
    const { log, text } = recordingLogger();
    log.info({ headers: { [name]: 's3cret' } });
    log.info({ upgrade: { headers: { [name]: 's3cret' } } });
    log.info({ [name]: 's3cret' });
    expect(text()).not.toContain('s3cret');
    expect(text().match(/\[redacted\]/g)).toHaveLength(3);
  },
);

test('fields without credentials stay what they are, and deep ones are left alone', () => {
  const { log, entries, text } = recordingLogger();
  const headers = { Authorization: 's3cret', accept: 'text/plain' };
  log.info({ a: { b: { headers } }, list: ['x'], at: null, cookies: 2 });
  expect(entries()[0]).toMatchObject({
    a: { b: { headers: { Authorization: '[redacted]', accept: 'text/plain' } } },
    list: ['x'],
    at: null,
    cookies: 2,
  });
  expect(headers.Authorization).toBe('s3cret');
  expect(text()).not.toContain('s3cret');
});

test('standard output gets every line, also those of the last moment, and a reader that has gone ends nobody', async () => {
  const program = `
    import { createLogger } from ${JSON.stringify(new URL('./create-logger.ts', import.meta.url).href)};
    const log = createLogger('info');
    process.stdin.once('data', () => {
      for (let line = 0; line < 2_000; line += 1) log.info({ line, text: 'x'.repeat(line) }, 'line');
      log.info('last');
      process.exit(7);
    });
    log.info('ready');`;
  const run = () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    return { child, exited };
  };
  const { child, exited } = run();
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (text.endsWith('"ready"}\n')) child.stdin.write('go');
  });
  await once(child.stdout, 'close');
  expect(await exited).toBe(7);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; line?: number });
  expect(lines.map(({ msg, line }) => line ?? msg)).toEqual(['ready', ...Array.from({ length: 2_000 }, (_, line) => line), 'last']);

  const left = run();
  await once(left.child.stdout, 'data');
  left.child.stdout.destroy();
  left.child.stdin.write('go');
  expect(await left.exited).toBe(7);
}, 30_000);

test('the observer logs the end of a run with what operators filter by', () => {
  const { log, entries } = recordingLogger();
  const id = '018f0000-0000-7000-8000-000000000000' as never;
  const observer = createLogObserver(log);
  observer.runStarted({ id, model: 'demo', attempt: 1, queuedMs: 0 });
  observer.runEnded({ id, model: 'demo', status: 'failed', code: 'upstream_timeout', usage: null, durationMs: 12 });
  expect(entries()).toHaveLength(1);
  expect(entries()[0]).toMatchObject({ level: 30, run: id, model: 'demo', status: 'failed', code: 'upstream_timeout', ms: 12 });
});

test('a fault shows where it happened and never what it says', () => {
  const { log, entries, text } = recordingLogger();
  const cause = Object.assign(new RangeError('patient Jane\n    at home'), { code: 'ERR_OUT_OF_RANGE' });
  const observer = createLogObserver(log);
  observer.faulted('execute', new Error('dear diary', { cause }));
  observer.flushFailed('s3cret text');
  expect(entries()[0]).toMatchObject({
    level: 50,
    where: 'execute',
    err: { type: 'Error', cause: { type: 'RangeError', code: 'ERR_OUT_OF_RANGE' } },
  });
  expect(JSON.stringify(entries()[0])).toContain('logger.test.ts');
  expect(entries()[1]).toMatchObject({ level: 50, err: { type: 'thrown string' } });
  for (const secret of ['Jane', 'home', 'diary', 's3cret']) expect(text()).not.toContain(secret);
});

import { describe, expect, test } from 'vitest';
import { beginWithServerHeap } from './server-heap.ts';

const beginning = {
  execPath: '/usr/bin/node',
  execArgv: ['--cpu-prof'],
  argv: ['/usr/bin/node', '/srv/dist/main.js', 'start'],
  env: { A: 'b' },
};

/** How a process would begin again; null when it goes on as it is. */
function beginAgain(difference: object = {}) {
  const begun: { file: string; args: readonly string[]; env: NodeJS.ProcessEnv }[] = [];
  const execve = (file: string, args: readonly string[], env: NodeJS.ProcessEnv): never => {
    begun.push({ file, args, env });
    return undefined as never;
  };
  beginWithServerHeap({ ...beginning, execve, ...difference });
  return begun[0] ?? null;
}

test('a process begins again with the same program, flags, arguments and environment', () => {
  expect(beginAgain()).toEqual({
    file: '/usr/bin/node',
    args: [
      '/usr/bin/node',
      '--max-semi-space-size=4',
      '--heap-growing-percent=100',
      '--expose-gc',
      '--cpu-prof',
      '/srv/dist/main.js',
      'start',
    ],
    env: { A: 'b', MALLOC_ARENA_MAX: '2' },
  });
  expect(beginAgain({ env: { MALLOC_ARENA_MAX: '8' } })?.env).toEqual({ MALLOC_ARENA_MAX: '8' });
});

test('it does so once', () => {
  const [, ...flags] = beginAgain()?.args.slice(0, 5) ?? [];
  expect(beginAgain({ execArgv: flags })).toBeNull();
});

describe('it goes on as it is', () => {
  test.each([
    ['where somebody chose a size on the command line', { execArgv: ['--max-semi-space-size=16'] }],
    ['where somebody chose a size in the environment', { env: { NODE_OPTIONS: '--trace-gc --max_semi_space_size=16' } }],
    ['when a parent talks to it', { connected: true }],
    ['where a process cannot begin again, as on Windows', { execve: undefined }],
  ])('%s', (_, difference) => {
    expect(beginAgain(difference)).toBeNull();
  });
});

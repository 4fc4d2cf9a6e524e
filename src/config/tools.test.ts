import { expect, test } from 'vitest';
import { loadConfig } from '../config.ts';

const ENV = { TASKS_FILE: '/data/tasks.json', TOKEN: 'secret-token', CLIENT: 'me', SECRET: 'client-secret', BROKEN: 'a\nb' };

function load(file: object) {
  return loadConfig({ env: ENV, cwd: '/srv', readFile: () => JSON.stringify({ version: 1, ...file }) });
}

test('servers are read with what their variables hold', () => {
  const { mcp } = load({
    mcp: {
      tasks: { command: 'node', args: ['server.mjs'], env: ['TASKS_FILE'], cwd: 'tasks' },
      Wiki2: { url: 'https://wiki.example/mcp/?v=1', tokenEnv: 'TOKEN', headers: { 'X-Team': 'CLIENT' } },
      crm: {
        applications: ['sales'],
        url: 'http://crm.internal/mcp',
        oauth: { issuer: 'https://login.example', clientIdEnv: 'CLIENT', clientSecretEnv: 'SECRET' },
      },
    },
  });
  expect(mcp).toEqual([
    {
      name: 'tasks',
      applications: null,
      transport: { kind: 'stdio', command: 'node', args: ['server.mjs'], env: { TASKS_FILE: '/data/tasks.json' }, cwd: '/srv/tasks' },
    },
    {
      name: 'Wiki2',
      applications: null,
      transport: {
        kind: 'http',
        url: 'https://wiki.example/mcp/?v=1',
        headers: { Authorization: 'Bearer secret-token', 'X-Team': 'me' },
        oauth: null,
      },
    },
    {
      name: 'crm',
      applications: ['sales'],
      transport: {
        kind: 'http',
        url: 'http://crm.internal/mcp',
        headers: {},
        oauth: { issuer: 'https://login.example', clientId: 'me', clientSecret: 'client-secret', scope: null },
      },
    },
  ]);
});

test('nothing is there unless it is set', () => {
  expect(load({})).toMatchObject({ mcp: [], tools: { httpFetch: false }, egress: { allow: [] } });
  expect(load({ tools: { httpFetch: true } }).tools.httpFetch).toBe(true);
});

test.each([
  [{}, /needs either command or url/],
  [{ command: 'a', url: 'https://a.example' }, /needs either command or url/],
  [{ command: 'a', tokenEnv: 'TOKEN' }, /tokenEnv has no meaning without url/],
  [{ url: 'https://a.example', env: ['TOKEN'] }, /env has no meaning without command/],
  [{ command: 'a', env: ['UNSET'] }, /env names UNSET, but that environment variable is not set/],
  [{ url: 'https://a.example', tokenEnv: 'sk-abc-123' }, /tokenEnv must be the name of an environment variable/],
  [{ url: 'https://a.example', tokenEnv: 'BROKEN' }, /tokenEnv names a variable whose value cannot stand in a header/],
  [{ url: 'https://user:pass@a.example' }, /url must be an http or https address without credentials/],
  [{ url: 'file:///etc/passwd' }, /url must be an http or https address/],
  [{ url: 'https://a.example', shell: true }, /shell is not a known setting/],
])('the server %j stops the start', (server, message) => {
  expect(() => load({ mcp: { one: server } })).toThrow(message);
  expect(() => load({ mcp: { one: server } })).not.toThrow(/sk-abc|pass@|a\nb/);
});

test.each(['with_underscore', 'a.b', '', '-a', 'http', 'builtin', 'Search', 'x'.repeat(33)])('a server cannot be called %j', (name) => {
  expect(() => load({ mcp: { [name]: { command: 'a' } } })).toThrow(/config\.json:1:\d+: /);
});

test('destinations are addresses, ranges and hosts', () => {
  const allow = ['10.1.0.0/16', '10.1.2.3', 'fd00::/8', '::1', 'wiki.internal', 'localhost:3000', '[::1]:3000'];
  expect(load({ egress: { allow } }).egress.allow).toEqual(allow);
  for (const entry of ['10.0.0.0/33', '300.0.0.1/8', 'https://wiki.internal', 'a b', '/', 'host:99999', 'user@host', '::1/200', '*'])
    expect(() => load({ egress: { allow: [entry] } }), entry).toThrow(/egress\/allow\/0 must be an address, a range or a host/);
});

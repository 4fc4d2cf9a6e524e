import { expect, test } from 'vitest';
import { loadConfig } from '../config.ts';

const STRONG = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

function load(env: Record<string, string>, file?: unknown) {
  const text = file === undefined ? null : typeof file === 'string' ? file : JSON.stringify(file);
  return loadConfig({ env, cwd: '/srv', readFile: (path) => (path === '/srv/polylogue.config.json' ? text : null) });
}

test('in production there is no development key', () => {
  expect(load({ NODE_ENV: 'production', JWT_SECRET_KEY: STRONG })).toMatchObject({
    developmentKey: null,
    signingSecrets: [STRONG],
    warnings: [],
  });
});

test.each([
  'your-secret-key-here',
  'changeme',
  'your-better-auth-secret',
  'secret',
  'a'.repeat(64),
  'abcdefgh12'.repeat(5),
  'CHANGE-ME-CHANGE-ME-0123456789-abcdef',
  'super-secret-jwt-token-with-at-least-32-characters-long',
  STRONG.slice(0, 31),
])('the secret %s stops a start in production and warns elsewhere, without being repeated', (secret) => {
  expect(() => load({ NODE_ENV: 'production', BETTER_AUTH_SECRET: secret })).toThrow(/^BETTER_AUTH_SECRET (is|can be|has been) /);
  const { warnings } = load({ BETTER_AUTH_SECRET: secret });
  expect(warnings).toEqual([expect.stringMatching(/^BETTER_AUTH_SECRET .*openssl rand -hex 32/)]);
  if (secret.length > 8) expect(warnings.join()).not.toContain(secret);
});

test.each(['0.0.0.0', '::', '10.0.0.5', 'chat.example', '127.example.com'])(
  'on HOST=%s the development key is off and a warning says what to set',
  (host) => {
    const config = load({ HOST: host });
    expect(config.developmentKey).toBeNull();
    expect(config.warnings).toEqual([expect.stringContaining('JWT_SECRET_KEY')]);
    expect(load({ HOST: host, JWT_SECRET_KEY: STRONG })).toMatchObject({ developmentKey: null, warnings: [] });
  },
);

test('secrets reach their users exactly as set', () =>
  expect(load({ JWT_SECRET_KEY: ` ${STRONG} ` }).signingSecrets).toEqual([` ${STRONG} `]));

test('public keys are fetched from where JWKS_URL says, and tokens must say what the file says', () => {
  expect(load({})).toMatchObject({ jwksUrl: null, tokens: { issuer: null, audience: null } });
  const file = { version: 1, tokens: { issuer: 'https://login.example', audience: 'chat' } };
  const config = load({ JWKS_URL: 'https://login.example/jwks.json', HOST: '0.0.0.0' }, file);
  expect(config).toMatchObject({ jwksUrl: 'https://login.example/jwks.json', tokens: file.tokens, warnings: [] });
  expect(load({ JWKS_URL: 'http://127.0.0.1:3000/jwks' }).jwksUrl).toBe('http://127.0.0.1:3000/jwks');
});

test.each([
  ['http://login.example/jwks.json', /^JWKS_URL must begin with https:\/\/ .* because /],
  ['http://127.0.0.1.example/', /^JWKS_URL must begin with https:/],
  ['https://user:sesame@login.example/', /^JWKS_URL must have no credentials/],
  ['login.example', /^JWKS_URL must be an address/],
])('JWKS_URL=%s stops the start', (url, message) => {
  for (const NODE_ENV of ['', 'production']) expect(() => load({ JWKS_URL: url, NODE_ENV })).toThrow(message);
  expect(() => load({ JWKS_URL: url })).not.toThrow(/sesame/);
});

test.each(['Production', 'prod', 'PRODUCTION', 'staging', 'develop'])('NODE_ENV=%s stops the start', (NODE_ENV) => {
  expect(() => load({ NODE_ENV })).toThrow(new RegExp(`^NODE_ENV must be production, development, test or empty, not "${NODE_ENV}"`));
});

test.each(['', 'development', 'test', ' test '])('NODE_ENV=%j has the development key, and production has not', (NODE_ENV) => {
  expect(load({ NODE_ENV })).toMatchObject({ production: false, developmentKey: expect.any(String) });
  expect(load({ NODE_ENV: 'production' })).toMatchObject({ production: true, developmentKey: null });
});

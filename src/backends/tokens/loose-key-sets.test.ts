import { expect, test } from 'vitest';
import { startTestApp } from '../../../test/support/app.ts';
import type { Application } from '../../core/access.ts';
import { type ApplicationId, DEFAULT_APPLICATION } from '../../core/ids.ts';
import { findLooseKeySets } from './loose-key-sets.ts';

const JWKS_URL = 'http://127.0.0.1:9/jwks.json';
const free = { issuer: null, audience: null };

function application(id: string, tokens: object): Application {
  return { id: id as ApplicationId, name: id, tier: null, createdAt: 0, tokens: { jwksUrl: null, sealedSecrets: [], ...free, ...tokens } };
}

test('public keys whose tokens need neither issuer nor audience are told, with what to do', () => {
  const applications = [
    application(DEFAULT_APPLICATION, {}),
    application('acme', { jwksUrl: JWKS_URL }),
    application('strict', { jwksUrl: JWKS_URL, audience: 'chat' }),
    application('secret', { sealedSecrets: ['x'] }),
  ];
  const found = findLooseKeySets({ config: { jwksUrl: JWKS_URL, tokens: free }, applications });
  expect(found.map(({ message, advice }) => `${message} ${advice}`)).toEqual([
    expect.stringMatching(/JWKS_URL .*tokens\.issuer and tokens\.audience/),
    expect.stringMatching(/"acme" .*polylogue applications change acme/),
  ]);
  for (const tokens of [
    { ...free, issuer: 'https://login.example' },
    { ...free, audience: 'chat' },
  ]) {
    expect(findLooseKeySets({ config: { jwksUrl: JWKS_URL, tokens }, applications: [] })).toEqual([]);
  }
});

test.each([
  [{ tokens: {} }, true],
  [{ tokens: { audience: 'chat' } }, false],
])('a start with %j warns of them: %s', async (file, warns) => {
  const app = await startTestApp({ env: { JWKS_URL }, file });
  expect(/"level":(40|"warn").*public keys of JWKS_URL/.test(app.log())).toBe(warns);
  await app.close();
});

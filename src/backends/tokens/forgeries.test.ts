import { expect, test } from 'vitest';
import { type ForgeryContext, forgeHmac, forgeSigned, goodClaims } from '../../../test/hostile/forge.ts';
import { forgeries } from '../../../test/hostile/forgeries.ts';
import { startKeySetServer } from '../../../test/support/key-set-server.ts';
import { createKeyPair, NOW, OTHER_SECRET, openKnownCredentials, SECRET } from '../../../test/support/known-credentials.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';

test('no forgery is accepted', async () => {
  const [rsa, ec, ed] = [createKeyPair('rsa-1'), createKeyPair('ec-1', 'ec'), createKeyPair('ed-1', 'ed')];
  const server = await startKeySetServer([rsa.jwk, ec.jwk, ed.jwk]);
  const { verify, hasExpired, issuer, createApplication, box } = await openKnownCredentials({ jwksUrl: server.url });
  const other = { id: await createApplication('bakery', { tokens: { sealedSecrets: [box.seal(OTHER_SECRET)] } }), secret: OTHER_SECRET };
  const { token: issued } = await issuer.issue({ applicationId: DEFAULT_APPLICATION, userId: 'ann', keyId: null, expiresInSeconds: 600 });
  const context: ForgeryContext = { nowSeconds: NOW, userId: 'ann', secret: SECRET, rsa, ec, ed, issued, other };

  const claims = goodClaims(context);
  const good = [
    issued,
    forgeHmac({ claims, secret: SECRET }),
    forgeHmac({ claims: { ...claims, application: 'bakery' }, secret: OTHER_SECRET }),
    forgeSigned({ header: { alg: 'RS256', kid: 'rsa-1' }, claims, key: rsa.privateKey }),
    forgeSigned({ header: { alg: 'ES256', kid: 'ec-1' }, claims, key: ec.privateKey }),
    forgeSigned({ header: { alg: 'EdDSA', kid: 'ed-1' }, claims, key: ed.privateKey }),
  ];
  for (const token of good) expect(await verify(token)).toMatchObject({ kind: 'user', userId: 'ann' });

  const accepted: string[] = [];
  const told: string[] = [];
  const tokens = new Set<string>();
  for (const { name, make } of forgeries) {
    const token = make(context);
    tokens.add(token);
    if ((await verify(token)) !== null) accepted.push(name);
    if (await hasExpired(token)) told.push(name);
  }
  expect(accepted).toEqual([]);
  expect(told).toEqual(['RS256 by the right key, expired', 'exp long over', 'exp over by a second beyond the tolerance']);
  expect(tokens.size).toBeGreaterThanOrEqual(150);
  expect(server.asked()).toBeLessThanOrEqual(2);
  await server.close();
});

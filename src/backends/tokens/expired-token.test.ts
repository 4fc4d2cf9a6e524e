import { expect, test } from 'vitest';
import { openKnownCredentials, SECRET } from '../../../test/support/known-credentials.ts';
import { mintToken } from './jwt.ts';

async function tokenOf(secret: string) {
  const { verify, hasExpired, clock } = await openKnownCredentials();
  const token = await mintToken({ secret, userId: 'ann', expiresInSeconds: 60, clock });
  return { token, clock, verify, hasExpired };
}

test('a token has expired from the moment when it is no longer good', async () => {
  const { token, clock, verify, hasExpired } = await tokenOf(SECRET);
  const seen: boolean[][] = [];
  for (const seconds of [0, 70, 30, 86_400]) {
    clock.advance(seconds * 1000);
    seen.push([(await verify(token)) !== null, await hasExpired(token)]);
  }
  expect(seen).toEqual([
    [true, false],
    [true, false],
    [false, true],
    [false, true],
  ]);
});

test('nothing else has expired', async () => {
  const { token, clock, hasExpired } = await tokenOf(SECRET);
  const forged = await tokenOf('another secret, as long as that one is');
  clock.advance(86_400_000);
  const [header, claims, signature = ''] = token.split('.');
  const odd = [
    forged.token,
    'dev-api-key-change-in-production',
    'plg_x',
    '',
    '..',
    `${header}.${claims}.`,
    `${header}.${claims}.${signature}x`,
    `${header}.e30.${signature}`,
  ];
  expect(await Promise.all(odd.map(hasExpired))).toEqual(odd.map(() => false));
});

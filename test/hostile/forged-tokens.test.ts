import { afterAll, beforeAll, expect, test } from 'vitest';
import { doors } from '../../src/app.ts';
import type { ApplicationId } from '../../src/core/ids.ts';
import { DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { openChatSocket } from '../support/chat-socket.ts';
import { type KeySetServer, startKeySetServer } from '../support/key-set-server.ts';
import { createKeyPair, OTHER_SECRET, SECRET } from '../support/known-credentials.ts';
import { inParallel } from '../support/parallel.ts';
import { exchange } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import { type ForgeryContext, forgeHmac, forgeSigned, goodClaims } from './forge.ts';
import { forgeries } from './forgeries.ts';

const CLAIMED = 'ann';
/** One address a door that anybody with a good token of ann's may read. */
const doorsToTry: Readonly<Record<string, string>> = {
  native: '/polylogue/v1/threads',
  levia: `/levia/chat/request/${CLAIMED}`,
  'chat-sessions': '/v1/chat/history',
  'chat-ws': '/chat/ws',
  graph: '/api/v1/threads/00000000-0000-4000-8000-000000000001',
  'user-chat': `/api/${CLAIMED}/conversations`,
};

let app: TestApp;
let keySet: KeySetServer;
let context: ForgeryContext;

beforeAll(async () => {
  const [rsa, ec, ed] = [createKeyPair('rsa-1'), createKeyPair('ec-1', 'ec'), createKeyPair('ed-1', 'ed')];
  keySet = await startKeySetServer([rsa.jwk, ec.jwk, ed.jwk]);
  app = await startTestApp({ env: { JWT_SECRET_KEY: SECRET, JWKS_URL: keySet.url } });
  const other = 'bakery' as ApplicationId;
  await app.access.createApplication(other, { name: 'Bakery', secrets: [OTHER_SECRET] });
  const asked = { applicationId: DEFAULT_APPLICATION, userId: CLAIMED, keyId: null, expiresInSeconds: 600 };
  const { token: issued } = await app.access.issueToken(asked);
  context = {
    nowSeconds: Math.floor(Date.now() / 1000),
    userId: CLAIMED,
    secret: SECRET,
    rsa,
    ec,
    ed,
    issued,
    other: { id: other, secret: OTHER_SECRET },
  };
});

afterAll(async () => {
  await app.close();
  await keySet.close();
});

/** How a door answers a token in the Authorization header; what cannot stand in a header is not sent. */
async function answerOf(dialect: string, token: string): Promise<{ letIn: boolean; problem: string | null }> {
  if (dialect === 'chat-ws') {
    const reason = await socketReason(`?token=${encodeURIComponent(token)}`);
    return { letIn: reason === 'open', problem: ['auth_invalid', 'auth_expired', 'auth_missing', 'open'].includes(reason) ? null : reason };
  }
  const path = doorsToTry[dialect] ?? '';
  const answer = await exchange(app.url, { method: 'GET', path, headers: [['authorization', `Bearer ${token}`]] });
  const refused = [400, 401, 403, 431].includes(answer.status);
  return { letIn: !refused, problem: refused && answer.status !== 431 && answer.status !== 400 ? shapeProblem(dialect, answer) : null };
}

/** Why a chat socket was closed, or that it answers. */
async function socketReason(query: string): Promise<string> {
  const chat = await openChatSocket(app.url, query);
  chat.send({ type: 'ping' });
  const reason = await chat.next('pong').then(
    () => 'open',
    async () => (await chat.closed).reason,
  );
  await chat.close();
  return reason;
}

const isSendable = (token: string) => /^[\x21-\x7e]*$/.test(token) && token.length < 12_000;

test('every door is tried, and lets good tokens of every kind in', async () => {
  expect(Object.keys(doorsToTry).sort()).toEqual(doors.map(({ name }) => name).sort());
  const claims = goodClaims(context);
  const good = [
    forgeHmac({ claims, secret: SECRET }),
    forgeHmac({ claims: { ...claims, application: context.other.id }, secret: OTHER_SECRET }),
    context.issued,
    ...[context.rsa, context.ec, context.ed].map(({ kid, privateKey }, at) =>
      forgeSigned({ header: { alg: ['RS256', 'ES256', 'EdDSA'][at] ?? '', kid }, claims, key: privateKey }),
    ),
  ];
  for (const token of good) {
    for (const dialect of Object.keys(doorsToTry)) {
      expect([dialect, (await answerOf(dialect, token)).letIn]).toEqual([dialect, true]);
    }
  }
});

test.each(Object.keys(doorsToTry))('%s accepts no forgery', async (dialect) => {
  const accepted: string[] = [];
  const problems: string[] = [];
  const tokens = forgeries.map(({ name, make }) => ({ name, token: make(context) })).filter(({ token }) => isSendable(token));
  await inParallel(tokens, 8, async ({ name, token }) => {
    const { letIn, problem } = await answerOf(dialect, token);
    if (letIn) accepted.push(name);
    if (problem) problems.push(`${name}: ${problem}`);
  });
  expect(accepted).toEqual([]);
  expect(problems.slice(0, 10)).toEqual([]);
  expect(tokens.length).toBeGreaterThanOrEqual(100);
});

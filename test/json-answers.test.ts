import { expect, test, vi } from 'vitest';
import { chatSessions } from '../src/dialects/chat-sessions/index.ts';
import { graph } from '../src/dialects/graph/index.ts';
import { native } from '../src/dialects/native/index.ts';
import { userChat } from '../src/dialects/user-chat/index.ts';
import type { Engine } from '../src/engine/index.ts';
import { serveDialect } from './support/dialect-server.ts';
import { stubEngine, stubRun, stubThread } from './support/stub-engine.ts';

const chat = { model: 'gpt-4', stream: false, messages: [{ role: 'user', content: 'Hi' }] };
const asked = [
  { dialect: native, path: `/polylogue/v1/threads/${stubThread.id}/runs`, body: { text: 'Hi' }, headers: { prefer: 'respond-sync' } },
  { dialect: chatSessions, path: '/v1/chat/stream', body: chat },
  { dialect: graph, path: '/api/v1/graph/invoke', body: { message: 'Hi', user_id: 'ann' } },
  { dialect: userChat, path: '/api/ann/chat', body: { message: { role: 'user', content: 'Hi' } } },
];

/** An answer for which it can be waited without end, and what became of the waiting. */
function endlessAnswer() {
  const seen = { waiting: false, ended: false };
  const wait: Engine['runs']['await'] = (_run, { signal }) => {
    seen.waiting = true;
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        seen.ended = true;
        reject(signal.reason);
      });
    });
  };
  return { seen, wait };
}

test.each(asked)('$dialect.name: nobody waits for a JSON answer whose client has left', async ({ dialect, path, body, headers }) => {
  const { seen, wait } = endlessAnswer();
  const start: Engine['runs']['start'] = async () => ({ run: stubRun, thread: stubThread, replayed: false, rate: null });
  const server = await serveDialect(dialect, stubEngine({ runs: { start, await: wait } }));
  const client = new AbortController();
  const json = { 'content-type': 'application/json', ...headers };
  const asking = server.send(path, { method: 'POST', body: JSON.stringify(body), headers: json, signal: client.signal });
  const refused = expect(asking).rejects.toThrow();
  await vi.waitUntil(() => seen.waiting, { timeout: 10_000 });
  expect(seen.ended).toBe(false);
  client.abort();
  await refused;
  await vi.waitUntil(() => seen.ended, { timeout: 10_000 });
  await server.close();
});

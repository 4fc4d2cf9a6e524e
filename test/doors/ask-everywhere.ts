import { expect, vi } from 'vitest';
import type { ProofStore } from '../proofs/stores.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { openChatSocket } from '../support/chat-socket.ts';
import { answer, type Step, startUpstream, type Upstream } from '../support/upstream.ts';
import { createDoorClient, type DoorHouse } from './door-client.ts';
import { houseDoors } from './doors.ts';

const HTTP_ASKS = 190;
const SOCKET_ASKS = 10;

type Allowance = Readonly<Record<string, number | null>>;

/** Servers that share a store, and the model behind them. */
export interface Houses {
  readonly apps: readonly TestApp[];
  readonly upstream: Upstream;
}

interface Setting {
  readonly store: ProofStore;
  /** The allowances of each user and of the application. */
  readonly tier: { readonly user?: Allowance; readonly application?: Allowance };
  readonly steps?: readonly Step[];
}

/** As many servers as can share the store, at most two, with one model behind them. */
export async function withHouses(
  { store, tier, steps = answer(['Yes.']) }: Setting,
  work: (houses: Houses) => Promise<void>,
): Promise<void> {
  const upstream = await startUpstream(steps);
  const start = () =>
    startTestApp({
      env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k' },
      file: { models: { 'gpt-4': { provider: 'openai' } }, tiers: { default: tier } },
      databaseUrl: store.databaseUrl ?? '',
    });
  const apps = [await start(), ...(store.databaseUrl === null ? [] : [await start()])];
  try {
    await work({ apps, upstream });
  } finally {
    for (const app of apps) await app.close();
    await upstream.close();
    await store.remove();
  }
}

interface Outcome {
  readonly status: number;
  readonly retryAfter: string | null;
}

interface Asked {
  readonly http: readonly Outcome[];
  readonly refusedFrames: number;
}

interface Asking {
  /** The user who asks with the client or the socket of this number. */
  readonly userAt: (index: number) => string;
  /** Called when no more than one question has not been refused yet. */
  readonly onLast?: () => void;
}

/**
 * Asks through every door of every server at once; gives what became of the HTTP requests, and how many frames the socket refused.
 */
export async function askEverywhere({ apps, upstream }: Houses, { userAt, onLast = () => {} }: Asking): Promise<Asked> {
  const clients = await Promise.all(
    apps.flatMap((app) =>
      houseDoors.map(async (door, index) => {
        const user = userAt(index);
        const house: DoorHouse = { app, upstream, script: () => undefined, close: async () => undefined };
        const client = await createDoorClient(house, door, user);
        const place = await client.begin();
        return (text: string) => client.call(door.ask({ user, place, text }));
      }),
    ),
  );
  const [app] = apps;
  if (!app) throw new Error('There is no server.');
  const socket = await openChatSocket(app.url, `?token=${await app.token(userAt(clients.length))}`);
  const refusedFrames = () => socket.frames.filter(({ type }) => type === 'error').length;
  let refused = 0;
  const countRefusals = () => {
    if (refused + refusedFrames() >= HTTP_ASKS + SOCKET_ASKS - 1) onLast();
  };
  socket.socket.on('message', countRefusals);
  const asks = Array.from({ length: HTTP_ASKS }, async (_, index) => {
    const response = await clients[index % clients.length]?.(`Question ${index}`);
    if (response?.status === 429) refused += 1;
    countRefusals();
    await response?.text();
    return { status: response?.status ?? 0, retryAfter: response?.headers.get('retry-after') ?? null };
  });
  for (let frame = 0; frame < SOCKET_ASKS; frame += 1) socket.send({ type: 'message', content: `Frame ${frame}` });
  const http = await Promise.all(asks);
  const answered = () => refusedFrames() + upstream.requests.length;
  await vi.waitUntil(() => answered() >= SOCKET_ASKS, { timeout: 10_000 });
  await socket.close();
  return { http, refusedFrames: refusedFrames() };
}

/** Expects that one question was taken and answered, and that all others were told when to come back. */
export function expectOneOf({ http, refusedFrames }: Asked, upstream: Upstream): void {
  const accepted = http.filter(({ status }) => status < 300).length;
  expect(accepted + (SOCKET_ASKS - refusedFrames)).toBe(1);
  expect(upstream.requests).toHaveLength(1);
  for (const { status, retryAfter } of http.filter((outcome) => outcome.status >= 300)) {
    expect(status).toBe(429);
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    expect(Number(retryAfter)).toBeLessThanOrEqual(60);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { doors } from '../../src/app.ts';
import type { LoadGauge } from '../../src/core/ports/load.ts';
import { embeddedStore, type ProofStore } from '../proofs/stores.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/app.ts';
import { eventsOf } from '../support/chat-clients.ts';
import { type Step, startUpstream, type Upstream } from '../support/upstream.ts';
import { toy } from '../toy-dialect/index.ts';
import type { Call, Door, End } from './door.ts';

/** A whole server, all doors and the toy one, with a scripted model behind it. */
export interface DoorHouse {
  readonly app: TestApp;
  readonly upstream: Upstream;
  /** What the model does from now on. */
  script(steps: readonly Step[]): void;
  close(): Promise<void>;
}

/** The provider's key, in no form that is known as one: it must never be seen outside. */
export const PROVIDER_KEY = 'cAnArY.5d2f81.c07b';

interface DoorHouseOptions {
  readonly limits?: TestAppOptions['file'];
  /** The provider's address; the scripted model's unless given. */
  readonly baseUrl?: string;
  /** Where it stores, removed with the house; the data directory unless given. */
  readonly store?: ProofStore;
  /** Instead of the event loop's. */
  readonly load?: LoadGauge;
}

/** Starts it on an empty store. */
export async function startDoorHouse({ limits, baseUrl, store = embeddedStore, load }: DoorHouseOptions = {}): Promise<DoorHouse> {
  const steps: Step[] = [];
  const upstream = await startUpstream(steps);
  const app = await startTestApp({
    env: { OPENAI_BASE_URL: baseUrl ?? upstream.baseUrl, OPENAI_API_KEY: PROVIDER_KEY },
    file: { models: { 'gpt-4': { provider: 'openai' } }, limits: { drainSeconds: 1, ...limits } },
    dialects: [...doors, toy],
    databaseUrl: store.databaseUrl ?? '',
    ...(load && { load }),
  });
  return {
    app,
    upstream,
    script: (next) => void steps.splice(0, steps.length, ...next),
    async close() {
      await app.close();
      await upstream.close();
      await store.remove();
    },
  };
}

/** A question on its way. */
interface Asked {
  readonly runId: string;
  readonly threadId: string;
  /** The answer to the question; of a dialect without streams it comes when the run has ended. */
  readonly response: Promise<Response>;
  /** The stream, or the JSON object, as this client first gets it; its text and exactly one end, the last thing in it. */
  read(): Promise<Read>;
}

export interface Read {
  readonly body: string;
  readonly text: string;
  readonly end: End;
}

/** A run as native shows it. */
interface RunView {
  readonly id: string;
  readonly status: string;
  readonly message_id: string;
  readonly answer_id: string;
  readonly error?: { readonly code: string; readonly detail: string };
}

/** A message as native shows it. */
interface MessageView {
  readonly id: string;
  readonly seq: number;
  readonly parent_id: string | null;
  readonly status: string;
  readonly parts: readonly { readonly text?: string }[];
}

/** A client of a door, one user. */
export interface DoorClient {
  call(call: Call, headers?: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response>;
  begin(): Promise<string>;
  ask(place: string, text: string, options?: { headers?: Readonly<Record<string, string>>; signal?: AbortSignal }): Promise<Asked>;
  /** The run as native shows it. */
  run(runId: string): Promise<RunView>;
  /** The thread's messages as native shows them, oldest first. */
  messages(threadId: string): Promise<readonly MessageView[]>;
}

export async function createDoorClient({ app }: DoorHouse, door: Door, user: string): Promise<DoorClient> {
  const authorization = `Bearer ${await app.token(user)}`;
  const client: DoorClient = {
    call: ({ method, path, body }, headers = {}, signal) =>
      app.send(path, {
        method,
        headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      }),
    async begin() {
      const response = await client.call(door.begin(user));
      expect(response.status).toBeLessThan(300);
      return door.placeIn((await response.json()) as Record<string, unknown>);
    },
    async ask(place, text, { headers = {}, signal } = {}) {
      const response = client.call(door.ask({ user, place, text }), headers, signal);
      const named = door.hearJson ? await nameEarly(client, user, { response, place }) : await response;
      if (!door.hearJson) expect(named.status).toBeLessThan(300);
      const runId = named.headers.get('x-run-id') ?? expect.fail('no run id');
      const threadId = named.headers.get('x-thread-id') ?? expect.fail('no thread id');
      const stream = async () => (door.follow ? client.call(door.follow(runId)) : response);
      return { runId, threadId, response, read: async () => readAnswer(door, await stream()) };
    },
    run: async (runId) => jsonOf(await client.call({ method: 'GET', path: `/polylogue/v1/runs/${runId}` })),
    async messages(threadId) {
      const page = await jsonOf<{ data: [] }>(
        await client.call({ method: 'GET', path: `/polylogue/v1/threads/${threadId}/messages?limit=100` }),
      );
      return page.data.toReversed();
    },
  };
  return client;
}

async function jsonOf<T>(response: Response): Promise<T> {
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

/** An answer that names the run of a question: its own, or while that is not there yet, levia's about the user's active run. */
async function nameEarly(client: DoorClient, user: string, asked: { response: Promise<Response>; place: string }): Promise<Response> {
  let own: Response | null = null;
  let failure: unknown = null;
  asked.response.then(
    (response) => {
      own = response;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  for (;;) {
    if (failure) throw failure;
    const active = await client.call({ method: 'GET', path: `/levia/chat/request/${user}` });
    if (own) return own;
    if (active.headers.get('x-thread-id') === asked.place) return active;
    await sleep(5);
  }
}

/** Reads an answer to its end; expects exactly one terminal frame, the last one. */
export async function readAnswer(door: Door, response: Response): Promise<Read> {
  if (door.hearJson) return readJson(door.hearJson, response);
  expect(response.headers.get('content-type')).toBe(door.contentType ?? 'text/event-stream');
  const body = await response.text();
  const events = eventsOf(body);
  const { text, ends } = door.hear(events);
  expect(ends).toHaveLength(1);
  expect(door.hear(events.slice(-1)).ends).toEqual(ends);
  return { body, text, end: ends[0] ?? expect.fail('no end') };
}

async function readJson(hearJson: NonNullable<Door['hearJson']>, response: Response): Promise<Read> {
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  const body = await response.clone().text();
  const { text, ends } = hearJson(response.status, JSON.parse(body));
  return { body, text, end: ends[0] ?? expect.fail('no end') };
}

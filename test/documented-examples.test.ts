import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doors } from '../src/app.ts';
import { agentGifts, forecaster } from './support/agent-gifts.ts';
import type { DescribedContent, DescribedOperation, DescribedParameter, RequestChange } from './support/api-description.ts';
import { operationsOf } from './support/api-description.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import {
  type Arranged,
  type Arrangements,
  createArrangements,
  DOCUMENTED_BOUNDS,
  DOCUMENTED_SECRET,
  DOCUMENTED_TIERS,
} from './support/arrangements.ts';
import { codeOf, filled, type Refusal, refusalsOf } from './support/documented-refusals.ts';
import { misfits } from './support/json-schema.ts';
import { changed, createReplay, type DocumentedRequest, framesOf, type Replay, type ReplayedAnswer } from './support/replay.ts';

/** The id that documented errors show; the server takes a request's own. */
const REQUEST_ID = 'a1b2c3d4';
/** Headers that stand in some of the answers only. */
const SOMETIMES = /^(?:idempotent-replayed|ratelimit|x-ratelimit-.*|retry-after|preference-applied)$/;
/** An error tells them when it came after they were known. */
const SOMETIMES_WITH_ERRORS = new RegExp(`${SOMETIMES.source}|^x-(?:thread|run|session)-id$|^x-model$`);
/** Headers that no description speaks of: HTTP's own, and those of every answer. */
const GENERAL =
  /^(?:allow|access-control-.*|cache-control|connection|content-(?:length|type|security-policy)|date|keep-alive|referrer-policy|transfer-encoding|upgrade|vary|x-accel-buffering|x-content-type-options)$/;

/** What no request brings about: the state of the server or of its provider does. */
const UNSENT = ['internal', 'overloaded', 'draining', 'run_failed', 'run_timeout'];
/** What a request brings about only by a thousand others at the same time, or before it. */
const UNSENT_HERE = [
  'chat-sessions.stream state_conflict',
  'chat-sessions.stream.2 state_conflict',
  ...['createPrompt', 'createPrompt.2', 'changePrompt', 'changePrompt.2'].map((id) => `chat-sessions.${id} state_conflict`),
  ...['createPrompt', 'changePrompt', 'restorePromptVersion'].map((id) => `native.${id} state_conflict`),
  ...['createAgent', 'changeAgent', 'deleteAgent', 'decide'].map((id) => `native.${id} state_conflict`),
  'native.followThread too_many_readers',
  ...['native.addFile', 'chat-sessions.uploadFile', 'chat-sessions.uploadFile.2'].flatMap((id) => [
    `${id} state_conflict`,
    `${id} too_many_uploads`,
  ]),
];
/** Failures whose figures and ids depend on the settings, the time and the run. */
const WITH_FIGURES = ['rate_limited', 'too_many_readers', 'queue_full', 'run_cancelled'];
const FIGURES = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+/g;

const served = { provider: 'demo', window: 8_192 };
const models = { 'gpt-4': served, 'gpt-3.5-turbo': served };

let dataDir: string;
let app: TestApp;
let arrangements: Arrangements;
let replay: Replay;
let operations: readonly DescribedOperation[];
/** Every answer of 2xx that the documented requests got, as `id status media-type`. */
const seen = new Set<string>();

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polylogue-examples-'));
  const retired = await retireModel();
  // So slow that a request just sent is still being answered when it is asked about.
  const file = {
    demo: { tokenDelayMs: 5 },
    agents: { definitions: { forecaster } },
    models,
    limits: { drainSeconds: 1, ...DOCUMENTED_BOUNDS },
    tiers: DOCUMENTED_TIERS,
  };
  app = await startTestApp({ dataDir, file, env: { BETTER_AUTH_SECRET: DOCUMENTED_SECRET } });
  operations = operationsOf(JSON.parse(await (await app.send('/openapi.json')).text()));
  replay = createReplay(
    app,
    operations,
    agentGifts(() => app),
  );
  arrangements = createArrangements({ app, replay, retired });
});
afterAll(async () => {
  await arrangements.close();
  await app.close();
  await rm(dataDir, { recursive: true });
});

/** Threads, by their user, of a model that the server no longer has when it starts again. */
async function retireModel(): Promise<ReadonlyMap<string, string>> {
  const before = await startTestApp({ dataDir, file: { models: { ...models, retired: served } } });
  const threads = new Map<string, string>();
  for (const user of ['user123', 'partner_app_user_123']) {
    const made = await before.post('/v1/chat/sessions', { model: 'retired' }, { 'x-user-id': user });
    threads.set(user, String(made.headers.get('x-thread-id')));
  }
  await before.close();
  return threads;
}

const tags = ['server', ...doors.map(({ name }) => name)];

function ofTag(tag: string): readonly DescribedOperation[] {
  return operations.filter((operation) => operation.tag === tag);
}

/** Fails unless the answer is one that the description of the operation has. */
function checkDescribed({ id, responses }: DescribedOperation, answer: ReplayedAnswer): void {
  const about = `${id}: ${answer.status} ${answer.text.slice(0, 300)}`;
  const response = responses[String(answer.status)];
  expect.soft(response, about).toBeDefined();
  const names = [...answer.headers.keys()].filter((name) => !GENERAL.test(name));
  expect
    .soft(
      names.filter((name) => !response?.headers.includes(name)),
      `${about}: headers that nobody described`,
    )
    .toEqual([]);
  const optional = answer.status < 400 ? SOMETIMES : SOMETIMES_WITH_ERRORS;
  const missing = response?.headers.filter((name) => !answer.headers.has(name) && !optional.test(name));
  expect.soft(missing, `${about}: headers that are missing`).toEqual([]);
  const content = Object.entries(response?.content ?? {});
  if (content.length === 0) expect.soft(answer.text, about).toBe('');
  else checkContent(about, answer, content);
}

function checkContent(about: string, answer: ReplayedAnswer, content: readonly (readonly [string, DescribedContent])[]): void {
  const described = content.find(([type]) => type === answer.mediaType);
  expect.soft(described?.[0], `${about}: ${answer.mediaType}`).toBeDefined();
  if (answer.mediaType.endsWith('json')) expect.soft(misfits(described?.[1].schema, JSON.parse(answer.text)), about).toEqual([]);
  if (answer.mediaType === 'text/event-stream') checkFrames(about, answer.text, described?.[1]);
}

function checkFrames(about: string, text: string, content: DescribedContent | undefined): void {
  const frames = framesOf(text);
  const documented = framesOf(String(content?.example));
  expect.soft(frames.length, about).toBeGreaterThan(0);
  expect.soft(frames.at(-1)?.event, about).toBe(documented.at(-1)?.event);
  const schema = content?.['x-frame-data'];
  for (const { data } of schema ? frames : []) expect.soft(misfits(schema, JSON.parse(data)), `${about}\n${data}`).toEqual([]);
  if (schema) return;
  const events = new Set(documented.map(({ event }) => event));
  expect
    .soft(
      frames.filter(({ event }) => !events.has(event)),
      about,
    )
    .toEqual([]);
}

async function sendGood(request: DocumentedRequest): Promise<ReplayedAnswer> {
  const answer = await replay.send(request);
  const { id } = request.operation;
  checkDescribed(request.operation, answer);
  const isRight = answer.status < 300 || (answer.status === 426 && id === 'chat-ws.connect');
  expect.soft(isRight, `${id}: ${answer.status} ${answer.text.slice(0, 300)}`).toBe(true);
  seen.add(`${id} ${answer.status} ${answer.mediaType}`);
  return answer;
}

/** Values of a parameter that must be taken. */
function goodValues({ schema, example }: DescribedParameter): readonly string[] {
  if (schema.type === 'boolean') return ['true', 'false'];
  if (Array.isArray(schema.enum)) return schema.enum.map(String);
  const bounds = [schema.minimum, schema.maximum].filter((bound) => bound !== undefined);
  return [...bounds, ...(example === undefined ? [] : [example])].map(String);
}

function withValue(request: DocumentedRequest, { name, in: where }: DescribedParameter, value: string): DocumentedRequest {
  return changed(request, where === 'query' ? { query: { [name]: value } } : { headers: { [name]: value } });
}

async function checkParameter(operation: DescribedOperation, parameter: DescribedParameter): Promise<void> {
  for (const value of goodValues(parameter)) await sendGood(withValue(await replay.prepare(operation), parameter, value));
  const { type, minimum, maximum } = parameter.schema;
  for (const value of type === 'integer' ? [Number(minimum) - 1, Number(maximum) + 1] : []) {
    const answer = await replay.send(withValue(await replay.prepare(operation), parameter, String(value)));
    checkDescribed(operation, answer);
    expect.soft(answer.status, `${operation.id} ${parameter.name}=${value}`).toBe(422);
  }
}

/** Some error bodies repeat what was sent. */
function withoutInput(json: string): string {
  return JSON.stringify(JSON.parse(json), (name, value: unknown) => (name === 'input' ? null : value));
}

async function sendArranged(request: DocumentedRequest, { values, server, meanwhile }: Arranged): Promise<ReplayedAnswer> {
  const stop = new AbortController();
  const beside = meanwhile?.(stop.signal);
  const answer = await replay.send(filled(request, values), server);
  stop.abort();
  await beside;
  return answer;
}

async function checkRefusal(operation: DescribedOperation, refusal: Refusal, change: RequestChange): Promise<void> {
  const { name, given, mediaType } = refusal;
  const about = `${operation.id} ${name}`;
  const request = changed(await replay.prepare(operation), { ...change, headers: { 'x-request-id': REQUEST_ID, ...change.headers } });
  const arranged = given ? await arrangements.arrange(given, request) : { values: {} };
  const answer = await sendArranged(request, arranged);
  await arranged.end?.();
  const isJson = mediaType.endsWith('json') && answer.mediaType.endsWith('json');
  const body: unknown = isJson ? JSON.parse(answer.text) : answer.text;
  const comparable = (value: unknown) =>
    WITH_FIGURES.includes(codeOf(refusal)) ? JSON.stringify(value).replace(FIGURES, 'N') : filled(value, arranged.values);
  expect.soft({ about, status: answer.status, mediaType: answer.mediaType, body: comparable(body) }).toEqual({
    about,
    status: refusal.status,
    mediaType,
    body: comparable(refusal.body),
  });
  checkDescribed(operation, answer);
}

describe.each(tags)('every documented request of %s', (tag) => {
  test('is answered as described, with each of its bodies', async () => {
    for (const operation of ofTag(tag)) {
      const bodies = Object.keys(operation.bodies);
      for (const body of bodies.length === 0 ? [undefined] : bodies) await sendGood(await replay.prepare(operation, body));
    }
  });

  test('takes the values of its parameters that the description allows, and no others', async () => {
    for (const operation of ofTag(tag))
      for (const parameter of operation.parameters.filter(({ in: where }) => where !== 'path')) await checkParameter(operation, parameter);
  });

  test('is refused as each error example says', async () => {
    for (const operation of ofTag(tag))
      for (const refusal of refusalsOf(operation)) if (refusal.change) await checkRefusal(operation, refusal, refusal.change);
  }, 120_000);

  test('is done once with an Idempotency-Key where the description has one', async () => {
    const repeatable = ofTag(tag).filter(({ parameters }) => parameters.some(({ name }) => name === 'Idempotency-Key'));
    for (const [index, operation] of repeatable.entries()) {
      const headers = { 'idempotency-key': `${operation.id}-${index}`, 'x-request-id': REQUEST_ID };
      const request = changed(await replay.prepare(operation), { headers });
      const first = await sendGood(request);
      const second = await sendGood(request);
      expect.soft({ id: operation.id, replayed: [first, second].map((answer) => answer.headers.get('idempotent-replayed')) }).toEqual({
        id: operation.id,
        replayed: [null, 'true'],
      });
      const bodies = Object.keys(operation.bodies);
      if (bodies.length < 2) continue;
      const other = changed({ ...request, body: operation.bodies[bodies[1] ?? ''] ?? null }, {});
      const refused = await replay.send(other);
      const documented =
        operation.responses[String(refused.status)]?.content[refused.mediaType]?.examples?.idempotency_mismatch?.value ?? null;
      checkDescribed(operation, refused);
      expect.soft(`${operation.id} ${withoutInput(refused.text)}`).toBe(`${operation.id} ${withoutInput(JSON.stringify(documented))}`);
    }
  });
});

test('every error example says how to get it, but for those that no request brings about', () => {
  const unsent = operations.flatMap((operation) =>
    refusalsOf(operation)
      .filter(({ change }) => change === null)
      .map((refusal) => ({ code: codeOf(refusal), about: `${operation.id} ${codeOf(refusal)}` })),
  );
  expect(unsent.filter(({ code, about }) => !UNSENT.includes(code) && !UNSENT_HERE.includes(about)).map(({ about }) => about)).toEqual([]);
  expect(UNSENT_HERE.filter((about) => !unsent.some((example) => example.about === about))).toEqual([]);
});

test('every success that is described was seen', () => {
  const described = operations.flatMap(({ id, responses }) =>
    Object.entries(responses).flatMap(([status, { content }]) => {
      if (Number(status) >= 300) return [];
      const types = Object.keys(content).map((type) => type.split(';', 1)[0] ?? '');
      return (types.length === 0 ? [''] : types).map((type) => `${id} ${status} ${type}`);
    }),
  );
  expect.soft(described.filter((answer) => !seen.has(answer))).toEqual([]);
});

test('every example fits its own schema', () => {
  const wrong = operations.flatMap(({ id, responses }) =>
    Object.entries(responses).flatMap(([status, { content }]) =>
      Object.entries(content).flatMap(([type, { schema, example, examples = {}, 'x-frame-data': data }]) => {
        if (type.endsWith('json') || type.includes('json;')) {
          const values = [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)];
          return values.flatMap((value) => misfits(schema, value).map((problem) => `${id} ${status}: ${problem}`));
        }
        const frames = data ? framesOf(String(example)) : [];
        return frames.flatMap((frame) => misfits(data, JSON.parse(frame.data)).map((problem) => `${id} ${status}: ${problem}`));
      }),
    ),
  );
  expect.soft(wrong).toEqual([]);
});

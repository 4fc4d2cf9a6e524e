import { SAMPLE_PDF } from '../../src/http/docs/upload-samples.ts';
import { FORM_TYPE, formHead, formTail } from '../support/forms.ts';
import type { Route } from './routes.ts';

/** What a test's data lie under; every string an id or name that exists. */
export interface Known {
  readonly thread_id: string;
  readonly conversation_id: string;
  readonly run_id: string;
  readonly request_id: string;
  readonly user_id: string;
  readonly session_id: string;
  readonly message_id: string;
  readonly key_id: string;
  readonly file_id: string;
  /** A prompt's number, and its id in native. */
  readonly prompt_id: string;
  readonly prompt_uuid: string;
  readonly agent_id: string;
  /** A run with a call that somebody was asked about. */
  readonly asked_run_id: string;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Body = { readonly [name: string]: Json };

const storedPrompt: Body = { title: 'T', content: 'C {a}', scenario: 's', description: 'D', metadata: { a: 'b' } };

let agents = 0;

/** Of a name that no other has. */
const ownAgent = (): Body => ({
  name: `An agent ${++agents}`,
  description: 'D',
  instructions: 'I',
  greeting: 'G',
  model: 'gpt-4',
  tools: ['clock'],
  rules: [{ tool: 'clock', rule: 'ask' }],
  step_limit: 5,
});

const listOf = (...list: readonly Body[]) => list;

function graphRun({ user_id, thread_id }: Known): readonly Body[] {
  return [{ message: 'Hi', user_id, thread_id, language: 'en', agent: 'assistant-graph', scenario_context: { a: 'b' } }];
}

function graphThread({ user_id }: Known): readonly Body[] {
  return [{ user_id, metadata: { a: 'b' } }];
}

/** The bodies that a route takes, with every field in one of them. A new route with a body has its line here. */
const bodies: Readonly<Record<string, (known: Known) => readonly Body[]>> = {
  'native POST /threads': () => [{ title: 'T', model: 'gpt-4', agent: 'assistant-graph', tags: ['x'], metadata: { a: 'b' } }],
  'native PATCH /threads/:thread_id': () => [
    { title: 'T', model: 'gpt-4', agent: 'assistant-graph', tags: ['x'], archived: false, metadata: { a: 'b' } },
  ],
  'native PUT /threads/:thread_id/head': ({ message_id }) => [{ message_id }],
  'native POST /threads/:thread_id/runs': ({ message_id }) =>
    listOf(
      { text: 'Hi', parent_id: message_id, model: 'gpt-4', agent: 'assistant-graph', temperature: 0.5, max_tokens: 5 },
      { message: { parts: [{ type: 'text', text: 'Hi' }] } },
      { regenerate: message_id },
    ),
  'native POST /tokens': ({ user_id }) => [{ user_id, expires_in: 60 }],
  'native POST /keys': ({ user_id }) => [
    { name: 'K', scopes: ['read'], dialects: ['native'], user_id, expires_at: '2099-01-01T00:00:00Z' },
  ],
  'native POST /agents': () => [ownAgent()],
  'native PATCH /agents/:agent_id': () => [{ ...ownAgent(), version: 1 }],
  'native POST /runs/:run_id/approvals/:call_id': () =>
    listOf({ decision: 'approve', arguments: { city: 'Rome' } }, { decision: 'approve' }),
  'native POST /prompts': () => [storedPrompt],
  'native PATCH /prompts/:prompt_id': () => [storedPrompt],
  'native POST /prompts/preview': ({ prompt_uuid }) => listOf({ prompt_id: prompt_uuid, variables: { a: 'b' } }, { content: 'Hi {a}' }),
  'chat-sessions POST /prompts': () => [storedPrompt],
  'chat-sessions PUT /prompts/:prompt_id': () => [storedPrompt],
  'chat-sessions POST /prompts/preview': ({ prompt_id }) =>
    listOf({ prompt_id: Number(prompt_id), variables: { a: 'b' } }, { content: 'Hi {a}' }),
  'levia POST /create': ({ user_id }) => [{ user_id }],
  'levia POST /': ({ user_id, thread_id }) => [{ user_id, intent: 'Hi', session_id: thread_id }],
  'chat-sessions POST /stream': ({ session_id }) => [
    {
      model: 'gpt-4',
      messages: [{ role: 'user', content: 'Hi' }],
      temperature: 0.7,
      max_tokens: 5,
      stream: true,
      session_id: Number(session_id),
      tags: ['x'],
    },
  ],
  'chat-sessions POST /sessions': () => [{ model: 'gpt-4' }],
  'chat-sessions POST /sessions/:session_id/tags': () => [{ tags: ['x'] }],
  'chat-sessions DELETE /sessions/:session_id/tags': () => [{ tags: ['x'] }],
  'chat-sessions POST /switch-model': ({ session_id }) => [{ session_id: Number(session_id), model: 'gpt-4' }],
  'graph POST /graph/invoke': graphRun,
  'graph POST /graph/stream': graphRun,
  'graph POST /threads': graphThread,
  'graph POST /graph/threads': graphThread,
  'user-chat POST /chat': ({ conversation_id }) => [{ message: { content: 'Hi', role: 'user' }, conversation_id }],
  'user-chat POST /conversations': () => [{ title: 'T' }],
};

/** Routes with a method that may have a body, which take none. */
const bodiless: readonly string[] = ['native POST /runs/:run_id/cancel', 'native POST /prompts/:prompt_id/versions/:version/restore'];

/** Routes that take a form with a file instead, with the content of one. */
const files: Readonly<Record<string, string>> = {
  'native POST /threads/:thread_id/files': 'Some text',
  'chat-sessions POST /sessions/:session_id/upload': SAMPLE_PDF,
};

/** A form that the route takes, with the header that says so; null for a route that takes none. */
export function exampleForm(route: Route): { readonly type: string; readonly body: string } | null {
  const content = files[route.key];
  if (content === undefined) return null;
  return { type: FORM_TYPE, body: `${formHead('document')}${content}${formTail}` };
}

/** Bodies that the route takes; empty for one that takes none. Throws for a route that is not in the table. */
export function exampleBodies(route: Route, known: Known): readonly Body[] {
  const examples = bodies[route.key];
  if (examples) return examples(known);
  if (['GET', 'DELETE'].includes(route.method) || bodiless.includes(route.key) || route.key in files) return [];
  throw new Error(`Give test/hostile/examples.ts a body for ${route.key}`);
}

const HUGE = 'x'.repeat(300_000);
const wrongValues: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['a number', 5],
  ['a fraction', 0.123],
  ['a negative number', -1],
  ['a large number', 1e300],
  ['a boolean', true],
  ['an object', { a: 1 }],
  ['an array', ['x']],
  ['an empty array', []],
  ['an empty string', ''],
  ['a string', 'wrong \u2028 <b>'],
  ['a huge string', HUGE],
  ['too many', Array.from({ length: 2_001 }, () => 'x')],
];

/** A body that differs from an example in one field. */
export interface Mutation {
  /** `messages.0.role is a number` */
  readonly name: string;
  readonly path: string;
  readonly change: string;
  readonly body: Json;
}

/** Every field of a body, nested ones too, missing and with every wrong value. */
export function mutationsOf(body: Json, path: readonly string[] = []): Mutation[] {
  const named = (change: string, value: Json): Mutation => {
    const at = path.join('.');
    return { name: `${at} ${change === 'missing' ? 'is missing' : `is ${change}`}`, path: at, change, body: value };
  };
  const own = path.length === 0 ? [] : wrongValues.map(([change, value]) => named(change, value));
  if (typeof body !== 'object' || body === null) return own;
  const nested = Object.entries(body).flatMap(([key, value]) =>
    mutationsOf(value, [...path, key]).map((mutation) => ({ ...mutation, body: withEntry(body, key, mutation.body) })),
  );
  const missing = Object.keys(body).map((key) => {
    const at = [...path, key].join('.');
    return { name: `${at} is missing`, path: at, change: 'missing', body: without(body, key) };
  });
  return [...own, ...nested, ...missing];
}

function withEntry(container: Json & object, key: string, value: Json): Json {
  if (Array.isArray(container)) return container.map((item, index) => (String(index) === key ? value : item));
  return { ...container, [key]: value };
}

function without(container: Json & object, key: string): Json {
  if (Array.isArray(container)) return container.filter((_item, index) => String(index) !== key);
  return Object.fromEntries(Object.entries(container).filter(([name]) => name !== key));
}

/** The paths of all strings in a body. */
export function stringPaths(body: Json, path: readonly string[] = []): string[][] {
  if (typeof body === 'string') return [[...path]];
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body).flatMap(([key, value]) => stringPaths(value, [...path, key]));
}

/** A body's JSON with the string at a path replaced by raw JSON text. */
export function jsonWith(body: Body, path: readonly string[], raw: string): string {
  const MARK = 'here-goes-the-raw-text';
  const replace = (value: Json, rest: readonly string[]): Json => {
    const [key, ...deeper] = rest;
    if (key === undefined) return MARK;
    if (typeof value !== 'object' || value === null) return value;
    const child = (value as Readonly<Record<string, Json>>)[key];
    return withEntry(value, key, child === undefined ? MARK : replace(child, deeper));
  };
  return JSON.stringify(replace(body, path)).replace(`"${MARK}"`, () => raw);
}

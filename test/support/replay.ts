import type { DescribedLink, DescribedOperation, RequestChange } from './api-description.ts';
import type { TestApp } from './app.ts';
import { file, formOf } from './forms.ts';
import { at, type Json } from './json-schema.ts';

/** A request as it goes out. */
export interface DocumentedRequest {
  readonly operation: DescribedOperation;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | null>>;
  readonly body: Json | null;
  /** Instead of the body. */
  readonly text?: string;
}

export interface ReplayedAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The content type without its parameters. */
  readonly mediaType: string;
  readonly text: string;
}

type Server = Pick<TestApp, 'send'>;

/** Sends what a description documents; what a request needs is made by the request that its links name. */
export interface Replay {
  /** The operation's request with one of its documented bodies, the first unless named. */
  prepare(operation: DescribedOperation, body?: string): Promise<DocumentedRequest>;
  /** Sends it, to another server when one is given, and reads the answer. */
  send(request: DocumentedRequest, server?: Server): Promise<ReplayedAnswer>;
  /** Sends it and leaves the answer's body to the caller. */
  open(request: DocumentedRequest, signal: AbortSignal): Promise<Response>;
}

/** What an operation is given besides what the description says: parameters of its path, fields of its body. */
export type Gifts = Readonly<Record<string, () => Promise<{ path?: Record<string, string>; fields?: Json }>>>;

export function createReplay(app: Server, operations: readonly DescribedOperation[], gifts: Gifts = {}): Replay {
  function originOf(operation: DescribedOperation): { origin: DescribedOperation; status: string; link: DescribedLink } | null {
    for (const origin of operations)
      for (const [status, { links }] of Object.entries(origin.responses))
        for (const link of Object.values(links)) if (link.operationId === operation.id) return { origin, status, link };
    return null;
  }

  /** What the answer that an operation builds on gives it; empty for one that needs nothing. */
  async function giftsFor(operation: DescribedOperation): Promise<{ path: Record<string, string>; fields: Json }> {
    const own = await gifts[operation.id]?.();
    if (own) return { path: {}, fields: {}, ...own };
    const found = originOf(operation);
    if (!found) return { path: {}, fields: {} };
    const { origin, status, link } = found;
    const answer = await send(await prepare(origin));
    if (String(answer.status) !== status) throw new Error(`${origin.id} gave ${answer.status}: ${answer.text}`);
    const given: unknown = JSON.parse(answer.text);
    const path = Object.entries(link.parameters ?? {}).map(([name, value]) => [name, String(evaluate(value, given))]);
    const filled = Object.entries(link.requestBody ?? {}).filter(([, value]) => isExpression(value));
    return { path: Object.fromEntries(path), fields: Object.fromEntries(filled.map(([name, value]) => [name, evaluate(value, given)])) };
  }

  async function prepare(operation: DescribedOperation, name = Object.keys(operation.bodies)[0]): Promise<DocumentedRequest> {
    const { path, fields } = await giftsFor(operation);
    const documented = name === undefined ? undefined : operation.bodies[name];
    // A body of another form has no use for what the first one needs.
    const needed = Object.entries(fields).filter(([field]) => documented && field in documented);
    return {
      operation,
      path: { ...examplesIn('path', operation), ...path },
      query: examplesIn('query', operation),
      headers: {},
      body: documented === undefined ? null : { ...documented, ...Object.fromEntries(needed) },
    };
  }

  const open = (request: DocumentedRequest, signal: AbortSignal, server = app) =>
    server.send(addressOf(request), { method: request.operation.method, signal, ...contentOf(request) });

  async function send(request: DocumentedRequest, server?: Server): Promise<ReplayedAnswer> {
    const { operation } = request;
    const stop = new AbortController();
    const response = await open(request, stop.signal, server);
    const mediaType = response.headers.get('content-type')?.split(';', 1)[0] ?? '';
    const text = mediaType === 'text/event-stream' ? await readFrames(response, lastEventOf(operation)) : await response.text();
    stop.abort();
    return { status: response.status, headers: response.headers, mediaType, text };
  }

  return { prepare, send, open };
}

/** The documented values of an operation's parameters. */
function examplesIn(where: 'path' | 'query', { parameters }: DescribedOperation): Record<string, string> {
  const documented = parameters.filter((parameter) => parameter.in === where && parameter.example !== undefined);
  return Object.fromEntries(documented.map(({ name, example }) => [name, String(example)]));
}

function addressOf({ operation, path, query }: DocumentedRequest): string {
  const address = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(path[name] ?? ''));
  const search = new URLSearchParams(query).toString();
  return search === '' ? address : `${address}?${search}`;
}

function contentOf({ operation, headers, body, text }: DocumentedRequest): { headers: Record<string, string>; body?: string | FormData } {
  const form = operation.isForm && text === undefined && body !== null ? formOf(file(String(body.file), 'document')) : null;
  const content = text ?? (body === null ? null : JSON.stringify(body));
  const own = Object.entries(headers).map(([name, value]) => [name, value ?? '']);
  return {
    headers: {
      ...(content !== null && form === null && { 'content-type': 'application/json' }),
      // An empty one takes the test's own key away.
      ...(operation.isPublic && { authorization: '' }),
      ...Object.fromEntries(own),
    },
    ...(content !== null && { body: form ?? content }),
  };
}

/** A good request, changed. */
export function changed(request: DocumentedRequest, { headers, path, query, body, fields, text }: RequestChange): DocumentedRequest {
  return {
    ...request,
    headers: { ...request.headers, ...headers },
    path: { ...request.path, ...path },
    query: { ...request.query, ...query },
    ...((body !== undefined || fields !== undefined) && { body: { ...(body ?? request.body), ...fields } }),
    ...(text !== undefined && { text }),
  };
}

/** The event that ends the documented stream; null when it has no names. */
function lastEventOf({ responses }: DescribedOperation): string | null {
  const documented = Object.entries(responses['200']?.content ?? {}).find(([type]) => type.startsWith('text/event-stream'));
  return /event: ([^\n]+)\n[^\n]*\n\n$/.exec(String(documented?.[1].example))?.[1] ?? null;
}

/** Reads a stream to its end, or to the end of the event by which the documented one ends: some go on as long as their thread exists. */
async function readFrames(response: Response, last: string | null): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (last !== null && text.endsWith('\n\n') && text.includes(`event: ${last}\n`)) return text;
  }
  return text;
}

function isExpression(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('$response.body#');
}

function evaluate(value: unknown, body: unknown): unknown {
  return isExpression(value) ? at(body, value.slice('$response.body'.length)) : value;
}

/** The data of a stream's frames, each with its event's name. */
export function framesOf(text: string): readonly { readonly event: string | null; readonly data: string }[] {
  return text.split('\n\n').flatMap((frame) => {
    const lines = frame.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
    if (lines.length === 0) return [];
    const event = lines.find((line) => line.startsWith('event: '))?.slice(7) ?? null;
    return [{ event, data: lines.flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : [])).join('\n') }];
  });
}

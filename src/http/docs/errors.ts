import { STATUS_CODES } from 'node:http';
import { AppError, type ErrorCode } from '../../core/errors.ts';
import { checkUserId } from '../doorkeeper.ts';
import type { ErrorShape, FailedRequest } from '../error-handler.ts';
import { errorStatus } from '../error-status.ts';
import { toAppError } from '../request-error.ts';
import type { BodyCheck } from '../validator.ts';
import { type Circumstance, circumstances } from './circumstances.ts';
import { type Components, headerRefs, mediaType } from './components.ts';
import type { Operation, Refused, RequestChange } from './operation.ts';
import type { JsonSchema } from './schema.ts';
import { typicalRefusal } from './typical-failures.ts';

const SAMPLE_REQUEST_ID = 'a1b2c3d4';
const authentication: readonly ErrorCode[] = ['auth_missing', 'auth_invalid', 'auth_conflict', 'scope_denied', 'rate_limited'];
const reading: readonly ErrorCode[] = [
  'body_invalid',
  'body_not_object',
  'body_too_deep',
  'body_too_large',
  'content_type_unsupported',
  'unicode_invalid',
];
const repeating: readonly ErrorCode[] = ['idempotency_key_invalid', 'idempotency_mismatch'];
const serving: readonly ErrorCode[] = ['overloaded', 'internal'];
const LONG_USER = 'x'.repeat(256);
const longUser: Refused = { request: { headers: { 'x-user-id': LONG_USER } }, fail: () => checkUserId(LONG_USER) };
/** Failures with these statuses may come after the run has begun. */
const LATE: readonly number[] = [409, 429, 502, 504];
const RATE_HEADERS = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'RateLimit'];

/** What the failures of a route depend on. */
export interface FailingRoute {
  readonly dialect: string;
  readonly method: string;
  readonly operation: Operation;
  readonly pathNames: readonly string[];
  readonly shape: ErrorShape;
  readonly errorSchema: JsonSchema;
  /** What checks the body before the route sees it. */
  readonly checkBody: BodyCheck | null;
}

interface Failure {
  readonly failure: AppError;
  readonly request: RequestChange | null;
  readonly given: Circumstance | null;
}

/** The error responses of a route by status, each with an example per failure as the dialect words it. */
export function errorResponses(route: FailingRoute, components: Components): Record<string, object> {
  const byStatus = new Map<number, Failure[]>();
  for (const entry of failuresOf(route)) {
    const status = route.shape.status?.[entry.failure.code] ?? errorStatus[entry.failure.code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), entry]);
  }
  const responses = [...byStatus].map(([status, failures]) => [
    String(status),
    components.share('responses', `${route.dialect}-${status}`, responseOf(route, { status, failures }, components)),
  ]);
  return Object.fromEntries(responses);
}

function failuresOf({ method, operation, pathNames, checkBody }: FailingRoute): readonly Failure[] {
  const changes = method !== 'GET' && method !== 'HEAD';
  const namesUser = operation.parameters?.some(({ name }) => name === 'X-User-Id') ?? false;
  const refused = [...(operation.refused ?? []), ...(namesUser ? [longUser] : [])].map((entry) => refusedFailure(entry, checkBody));
  const told = new Set(refused.map(({ failure }) => failure.code));
  const everywhere: readonly ErrorCode[] = [
    ...(operation.public ? [] : authentication),
    ...(changes && !operation.body?.form ? reading : []),
    ...(operation.repeatable ? repeating : []),
  ];
  const codes: readonly ErrorCode[] = [
    ...(operation.errors ?? []).filter((code) => !told.has(code)),
    ...(changes ? (['draining'] as const) : []),
    ...(operation.public ? [] : serving),
  ];
  const typical = [...new Set([...everywhere, ...codes])].map((code) => typicalFailure(code, method, pathNames));
  return [...typical, ...refused];
}

function typicalFailure(code: ErrorCode, method: string, pathNames: readonly string[]): Failure {
  const { request = null, given = null, fail } = typicalRefusal(code, method);
  const change = applicable(request, pathNames);
  return { failure: thrownBy(fail), request: change, given: change && given };
}

/** A change of path parameters concerns those that the route has; without one of them it is none. */
function applicable(request: RequestChange | null, pathNames: readonly string[]): RequestChange | null {
  if (!request?.path) return request;
  const path = Object.fromEntries(Object.entries(request.path).filter(([name]) => pathNames.includes(name)));
  return Object.keys(path).length === 0 ? null : { ...request, path };
}

function refusedFailure({ request, given, fail }: Refused, checkBody: BodyCheck | null): Failure {
  return { failure: thrownBy(fail ?? (() => checkBody?.(request.body))), request, given: given ?? null };
}

/** What a call throws, gives, or finds wrong with a body. */
function thrownBy(call: () => unknown): AppError {
  try {
    const found = call();
    if (found instanceof AppError) return found;
    if (typeof found !== 'object' || found === null || !('error' in found)) throw new Error(`Nothing is refused by ${call}`);
    return toAppError({ validation: found.error, validationContext: 'body' });
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

function responseOf(
  { dialect, operation, shape, errorSchema }: FailingRoute,
  { status, failures }: { readonly status: number; readonly failures: readonly Failure[] },
  components: Components,
): object {
  const names = new Set<string>();
  const good = Object.values(operation.body?.examples ?? {})[0];
  const examples = failures.map((entry) => {
    const name = freeName(entry.failure.code, names);
    return [name, components.share('examples', `${dialect}-${entry.failure.code}`, exampleOf(shape, { status, good, ...entry }))];
  });
  const schema = components.share('schemas', `${dialect}-error`, errorSchema);
  return {
    description: `${STATUS_CODES[status] ?? 'Error'}: ${[...new Set(failures.map(({ failure }) => failure.code))].join(', ')}`,
    headers: headerRefs(['X-Request-Id', ...headersOf(status), ...(LATE.includes(status) ? knownBefore(operation) : [])]),
    content: { [mediaType(shape.contentType)]: { schema, examples: Object.fromEntries(examples) } },
  };
}

/** What an answer says of its thread and run, as far as it is known when the request is refused. */
function knownBefore({ answers, repeatable }: Operation): readonly string[] {
  const named = answers.flatMap(({ headers = [] }) => headers).filter((name) => /^X-(?:Thread|Run|Session)-Id$|^X-Model$/.test(name));
  return [...new Set(named), ...(repeatable ? ['Idempotent-Replayed'] : [])];
}

function headersOf(status: number): readonly string[] {
  if (status === 401) return ['WWW-Authenticate'];
  if (status === 429) return ['Retry-After', ...RATE_HEADERS];
  return status === 503 ? ['Retry-After'] : [];
}

function freeName(code: string, taken: Set<string>): string {
  let name = code;
  for (let number = 2; taken.has(name); number += 1) name = `${code}-${number}`;
  taken.add(name);
  return name;
}

interface Exemplified extends Failure {
  readonly status: number;
  /** The body of a good request. */
  readonly good: unknown;
}

/** The body that the dialect sends; `x-request` says how to change a good request to get it, `x-given` what must be so before. */
function exampleOf(shape: ErrorShape, { status, good, failure, request, given }: Exemplified): object {
  const failed: FailedRequest = {
    id: SAMPLE_REQUEST_ID,
    params: request?.path ?? {},
    query: request?.query ?? {},
    body: bodyOf(good, request),
  };
  return {
    summary: failure.message,
    value: shape.body(failure, status, failed),
    ...(given && { 'x-given': circumstances[given] }),
    ...(request && { 'x-request': request }),
  };
}

/** What the route reads; nothing of a text that it cannot read. */
function bodyOf(good: unknown, request: RequestChange | null): unknown {
  if (request?.text !== undefined) return undefined;
  const body = request?.body ?? good;
  return request?.fields ? { ...Object(body), ...request.fields } : body;
}

import { STATUS_CODES } from 'node:http';
import { AppError, type ErrorCode } from '../../core/errors.ts';
import type { ErrorShape, FailedRequest } from '../error-handler.ts';
import { errorStatus } from '../error-status.ts';
import { toAppError } from '../request-error.ts';
import type { BodyCheck } from '../validator.ts';
import { type Components, headerRefs, mediaType } from './components.ts';
import type { Operation, Refused, RequestChange } from './operation.ts';
import type { JsonSchema } from './schema.ts';
import { typicalFailure } from './typical-failures.ts';

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
  const refused = (operation.refused ?? []).map((entry) => refusedFailure(entry, checkBody));
  const told = new Set(refused.map(({ failure }) => failure.code));
  const codes: ErrorCode[] = [
    ...(operation.public ? [] : authentication),
    ...(operation.body ? reading : []),
    ...(operation.repeatable ? repeating : []),
    ...(operation.errors ?? []),
    ...(changes ? (['draining'] as const) : []),
    ...(operation.public ? [] : serving),
  ];
  const typical = [...new Set(codes)].filter((code) => !told.has(code)).map(typicalFailure);
  return [
    ...typical.map(({ failure, request }) => ({ failure, request: operation.public ? null : applicable(request, pathNames) })),
    ...refused,
  ];
}

/** A change of path parameters concerns those that the route has; without one of them it is none. */
function applicable(request: RequestChange | null, pathNames: readonly string[]): RequestChange | null {
  if (!request?.path) return request;
  const path = Object.fromEntries(Object.entries(request.path).filter(([name]) => pathNames.includes(name)));
  return Object.keys(path).length === 0 ? null : { ...request, path };
}

function refusedFailure({ request, fail }: Refused, checkBody: BodyCheck | null): Failure {
  try {
    const found = fail ? fail() : checkBody?.(request.body);
    if (typeof found !== 'object' || found === null || !('error' in found)) throw new Error(`Nothing refuses ${JSON.stringify(request)}`);
    return { failure: toAppError({ validation: found.error, validationContext: 'body' }), request };
  } catch (error) {
    if (error instanceof AppError) return { failure: error, request };
    throw error;
  }
}

function responseOf(
  { dialect, shape, errorSchema }: FailingRoute,
  { status, failures }: { readonly status: number; readonly failures: readonly Failure[] },
  components: Components,
): object {
  const names = new Set<string>();
  const examples = failures.map(({ failure, request }) => {
    const name = freeName(failure.code, names);
    return [name, components.share('examples', `${dialect}-${failure.code}`, exampleOf(shape, status, { failure, request }))];
  });
  const schema = components.share('schemas', `${dialect}-error`, errorSchema);
  return {
    description: `${STATUS_CODES[status] ?? 'Error'}: ${[...new Set(failures.map(({ failure }) => failure.code))].join(', ')}`,
    headers: headerRefs(['X-Request-Id', ...headersOf(status)]),
    content: { [mediaType(shape.contentType)]: { schema, examples: Object.fromEntries(examples) } },
  };
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

/** The body that the dialect sends; `x-request` says how to change a good request to get it. */
function exampleOf(shape: ErrorShape, status: number, { failure, request }: Failure): object {
  const failed: FailedRequest = {
    id: SAMPLE_REQUEST_ID,
    params: request?.path ?? {},
    query: request?.query ?? {},
    body: request?.body,
  };
  return { summary: failure.message, value: shape.body(failure, status, failed), ...(request && { 'x-request': request }) };
}

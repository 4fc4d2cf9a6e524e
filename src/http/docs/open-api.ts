import type { ErrorShape } from '../error-handler.ts';
import { problemShape } from '../problem.ts';
import { type BodyCheck, createBodyChecks } from '../validator.ts';
import { type Components, createComponents, headerRefs, headers, mediaType } from './components.ts';
import type { DescribedRoute } from './described-routes.ts';
import { errorResponses } from './errors.ts';
import type { Answer, DescribedDialect, Operation, Origin, Parameter } from './operation.ts';
import { problemSchema } from './problem-schema.ts';
import { type JsonSchema, referring, toDocumented } from './schema.ts';
import { serverOperations } from './server-operations.ts';

/** A JSON document. */
export type Document = Readonly<Record<string, unknown>>;

/** Who answers a group of routes. */
interface Door {
  readonly name: string;
  readonly purpose: string;
  readonly prefixes: readonly string[];
  readonly operations: Readonly<Record<string, Operation>>;
  readonly errors: ErrorShape;
  readonly errorSchema: JsonSchema;
}

interface Place {
  readonly route: DescribedRoute;
  readonly door: Door;
  readonly operation: Operation;
  readonly operationId: string;
  readonly components: Components;
  readonly checkBody: BodyCheck | null;
}

/** Describes the routes as OpenAPI 3.1. Routes of other dialects are left out; throws for a single route of these without a description. */
export function createOpenApi(routes: readonly DescribedRoute[], dialects: readonly DescribedDialect[]): Document {
  const doors = [...dialects.map(toDoor), server];
  const components = createComponents();
  const compile = createBodyChecks();
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const place = placeOf(route, doors, components);
    if (!place) continue;
    const { body } = place.operation;
    const schema = body?.form ? null : (route.bodySchema ?? body?.schema ?? null);
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    const described = describe({ ...place, checkBody: schema ? compile(schema) : null });
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: described };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Polylogue', version: '1', description: INTRODUCTION, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/', description: 'This server' }],
    tags: doors.map(({ name, purpose }) => ({ name, description: purpose })),
    paths,
    components: { ...components.sections, headers, securitySchemes },
  };
}

const INTRODUCTION =
  'One conversation engine behind several chat protocols, each a tag below: all of them work on the same stored threads. ' +
  'Every example here is sent to a real server by a test. An error example with `x-request` says how to change a good request to get it, ' +
  'and with `x-given` what must be so before.';

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or a token of one user.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key.' },
  queryKey: { type: 'apiKey', in: 'query', name: 'api_key', description: "An API key, for browsers' EventSource, which sends no headers." },
};

const server: Door = {
  name: 'server',
  purpose: 'This server itself: its state and its descriptions',
  prefixes: [''],
  operations: serverOperations,
  errors: problemShape,
  errorSchema: problemSchema,
};

function toDoor({ name, purpose, prefixes, document }: DescribedDialect): Door {
  return { name, purpose, prefixes, ...document };
}

function placeOf(route: DescribedRoute, doors: readonly Door[], components: Components): Omit<Place, 'checkBody'> | null {
  const door = doors.find(({ prefixes }) => prefixes.includes(route.prefix));
  if (!door) return null;
  const key = `${route.method} ${route.url.slice(route.prefix.length) || '/'}`;
  const operation = door.operations[key];
  if (!operation) throw new Error(`Nothing is said about ${key} under ${route.prefix}`);
  return { route, door, operation, operationId: idOf(door, operation, door.prefixes.indexOf(route.prefix)), components };
}

/** The same operation has an id per prefix: the first prefix gets the plain one. */
function idOf({ name }: Door, { id }: Operation, prefix: number): string {
  return `${name}.${id}${prefix === 0 ? '' : `.${prefix + 1}`}`;
}

function describe(place: Place): object {
  const { route, door, operation, components } = place;
  const { summary, description, body } = operation;
  const pathNames = [...route.url.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const failing = { dialect: door.name, method: route.method, operation, pathNames, shape: door.errors, errorSchema: door.errorSchema };
  return {
    tags: [door.name],
    operationId: place.operationId,
    summary,
    ...(description && { description }),
    security: securityOf(operation),
    parameters: [...(operation.parameters ?? []), ...(operation.repeatable ? [idempotencyKey] : [])].map((parameter) =>
      components.share('parameters', `${door.name}-${parameter.in}-${parameter.name}`, toParameter(parameter)),
    ),
    ...(body && { requestBody: requestBodyOf(place, body) }),
    responses: {
      ...Object.fromEntries(operation.answers.map((answer) => [String(answer.status), toResponse(place, answer)])),
      ...errorResponses({ ...failing, checkBody: place.checkBody }, components),
    },
  };
}

const idempotencyKey: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Makes the request repeatable for 24 hours: the same key gets the first answer, the same key with another request is refused.',
  schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
};

function securityOf(operation: Operation): readonly object[] {
  if (operation.public === true) return [];
  const none = operation.public ? [{}] : [];
  return [...none, { bearer: [] }, { apiKey: [] }, ...(operation.queryKey ? [{ queryKey: [] }] : [])];
}

function toParameter({ name, in: where, description, schema, example }: Parameter): object {
  return { name, in: where, description, required: where === 'path', schema, ...(example !== undefined && { example }) };
}

function requestBodyOf({ route, operation, components, operationId }: Place, body: NonNullable<Operation['body']>): object {
  const schema = toDocumented(route.bodySchema ?? body.schema ?? {});
  const examples = Object.entries(body.examples).map(([name, value]) => [name, { value }]);
  const shared = components.share('schemas', `${operationId.replace(/\.\d+$/, '')}-body`, schema);
  return {
    required: operation.body?.optional !== true,
    content: { [body.form ? 'multipart/form-data' : 'application/json']: { schema: shared, examples: Object.fromEntries(examples) } },
  };
}

function toResponse(place: Place, answer: Answer): object {
  const { operation, components, door } = place;
  const { description, headers: named = [], json, stream, text } = answer;
  const rates = operation.public ? [] : ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'RateLimit'];
  const repeats = operation.repeatable ? ['Idempotent-Replayed'] : [];
  const links = answer === operation.answers[0] ? linksFrom(place) : {};
  const schemaName = `${door.name}.${operation.id}-${answer.status}`;
  const content = {
    ...(json && {
      'application/json': { schema: sharedSchema(components, schemaName, json.schema), example: json.example },
    }),
    ...(stream && {
      [mediaType(stream.contentType)]: {
        schema: { type: 'string' },
        example: stream.example,
        ...(stream.data && { 'x-frame-data': sharedSchema(components, schemaName, stream.data) }),
      },
    }),
    ...(text && { [mediaType(text.contentType)]: { schema: { type: 'string' }, example: text.example } }),
  };
  return {
    description,
    headers: headerRefs(['X-Request-Id', ...named, ...repeats, ...rates]),
    ...(Object.keys(content).length > 0 && { content }),
    ...(Object.keys(links).length > 0 && { links }),
  };
}

/** Refers to a schema under its own name, or else under this one; what is named in it has its place too. */
function sharedSchema(components: Components, name: string, schema: JsonSchema): object {
  const referred = referring(schema, (own, value) => components.share('schemas', own, value));
  return '$ref' in referred ? referred : components.share('schemas', name, referred);
}

/** What can be asked next with what this answer gives, under the same prefix. */
function linksFrom({ door, operation, route }: Place): Record<string, object> {
  const prefix = door.prefixes.indexOf(route.prefix);
  const followers = Object.values(door.operations).filter(({ needs }) => needs?.operation === operation.id);
  return Object.fromEntries(
    followers.flatMap((follower) => (follower.needs ? [[follower.id, toLink(idOf(door, follower, prefix), follower.needs)]] : [])),
  );
}

function toLink(operationId: string, { parameters, body }: Origin): object {
  return { operationId, ...(parameters && { parameters }), ...(body && { requestBody: body }) };
}

import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Route, recordRoutes } from '../../../test/hostile/routes.ts';
import { operationsOf } from '../../../test/support/api-description.ts';
import { startTestApp, type TestApp } from '../../../test/support/app.ts';
import { isJson, type Json } from '../../../test/support/json-schema.ts';
import { doors } from '../../app.ts';

let app: TestApp;
const routes: Route[] = [];
const documents: Record<string, Json> = {};

beforeAll(async () => {
  app = await startTestApp({ dialects: recordRoutes(doors, routes) });
  for (const path of ['/openapi.json', '/openapi-3.0.json']) documents[path] = JSON.parse(await (await fetch(app.url + path)).text());
});
afterAll(() => app.close());

/** Every name of a field anywhere in a value but inside examples, with where it stands. */
function namesIn(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => namesIn(item, `${path}/${index}`));
  if (!isJson(value)) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    /^(?:example|value|x-request|requestBody)$/.test(name) && !(isJson(item) && 'content' in item)
      ? []
      : [`${path}/${name}`, ...namesIn(item, `${path}/${name}`)],
  );
}

describe.each(['/openapi.json', '/openapi-3.0.json'])('%s', (path) => {
  test('is valid by the specification', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(documents[path] ?? {}));
    expect({ valid, errors: errors ?? [] }).toEqual({ valid: true, errors: [] });
  });

  test('describes each route of each door, and nothing that is not there', () => {
    const own = ['/', '/health', '/ready', '/metrics', '/openapi.json', '/openapi-3.0.json', '/asyncapi.json', '/docs', '/docs/{file}'];
    const registered = [
      ...routes.map(({ method, path: url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`),
      ...own.map((url) => `GET ${url}`),
    ];
    const described = operationsOf(documents[path] ?? {}).map((operation) => `${operation.method} ${operation.path}`);
    expect(described.toSorted()).toEqual(registered.toSorted());
  });

  test('gives every operation an id of its own, and links to ids that exist', () => {
    const operations = operationsOf(documents[path] ?? {});
    const ids = operations.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const linked = operations.flatMap(({ responses }) => Object.values(responses).flatMap(({ links }) => Object.values(links)));
    expect(linked.length).toBeGreaterThan(10);
    expect(linked.filter(({ operationId }) => !ids.includes(operationId))).toEqual([]);
  });

  test('names every parameter of its paths, and no other', () => {
    for (const { id, path: url, parameters } of operationsOf(documents[path] ?? {})) {
      const inPath = [...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const named = parameters.filter(({ in: where }) => where === 'path').map(({ name }) => name);
      expect({ id, named: named.toSorted() }).toEqual({ id, named: inPath.toSorted() });
    }
  });

  test('is answered by 304 when it is known, and to HEAD without its text', async () => {
    const first = await fetch(app.url + path);
    const text = await first.text();
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const known = await fetch(app.url + path, { headers: { 'if-none-match': `"other", W/${etag}` } });
    expect({ status: known.status, text: await known.text() }).toEqual({ status: 304, text: '' });
    const head = await fetch(app.url + path, { method: 'HEAD' });
    expect({ etag: head.headers.get('etag'), length: head.headers.get('content-length') }).toEqual({
      etag,
      length: String(Buffer.byteLength(text)),
    });
  });
});

describe('the copy for OpenAPI 3.0', () => {
  test('has no keyword that only 3.1 knows', () => {
    const names = namesIn(documents['/openapi-3.0.json'], '');
    expect(names.length).toBeGreaterThan(1_000);
    const isKeyword =
      /\/(?:const|\$schema|\$id|\$defs|contentEncoding|contentMediaType|prefixItems|if|then|else|propertyNames|patternProperties|unevaluated\w+|identifier|webhooks|jsonSchemaDialect)$/;
    expect(names.filter((name) => isKeyword.test(name) && !/\/properties\/\w+$/.test(name))).toEqual([]);
  });

  test('has one type a schema, and no null among them', () => {
    const types: unknown[] = [];
    JSON.stringify(documents['/openapi-3.0.json'], (name, value: unknown) => {
      if (isJson(value) && 'type' in value && ('properties' in value || 'items' in value || 'nullable' in value)) types.push(value.type);
      return name === 'example' || name === 'value' ? undefined : value;
    });
    expect(types.length).toBeGreaterThan(50);
    expect(types.filter((type) => typeof type !== 'string' || type === 'null')).toEqual([]);
  });

  test('says the same: as many operations, parameters, bodies and responses', () => {
    const [full, copy] = ['/openapi.json', '/openapi-3.0.json'].map((path) => operationsOf(documents[path] ?? {}));
    const outline = (operations: typeof full) =>
      operations?.map(({ id, parameters, bodies, responses }) => [id, parameters.length, Object.keys(bodies), Object.keys(responses)]);
    expect(outline(copy)).toEqual(outline(full));
  });
});

import { doors } from '../../src/app.ts';
import type { Route } from './routes.ts';

/** `body message_id`, `body messages.role`, `query branch` or `header X-User-Id`. */
export type InputName = `${'body' | 'query' | 'header'} ${string}`;

type Schema = Readonly<Record<string, unknown>>;

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null;
}

/** The paths of all fields that a schema names, whatever it makes of them. */
export function fieldsOf(schema: unknown, path = ''): string[] {
  if (!isSchema(schema)) return [];
  const own = Object.entries(isSchema(schema.properties) ? schema.properties : {}).flatMap(([name, field]) => [
    path + name,
    ...fieldsOf(field, `${path}${name}.`),
  ]);
  const parts = ['items', 'anyOf', 'oneOf', 'allOf', 'additionalProperties'].flatMap((keyword) => [schema[keyword]].flat());
  return [...own, ...parts.flatMap((part) => fieldsOf(part, path))];
}

/** What each route reads beside its path, by the route's key: its body as it is checked, else as it is described, and the described parameters. */
export async function describedInputs(routes: readonly Route[]): Promise<ReadonlyMap<string, readonly InputName[]>> {
  const described = doors.map(async ({ name, document }) => [name, (await document?.())?.operations ?? {}] as const);
  const operations = new Map(await Promise.all(described));
  return new Map(
    routes.map((route) => {
      const operation = operations.get(route.dialect)?.[route.key.slice(route.dialect.length + 1)];
      if (!operation) throw new Error(`${route.key} is not described`);
      // What is in a form is no name.
      const schema = operation.body?.form ? null : (route.bodySchema ?? operation.body?.schema);
      const fields = fieldsOf(schema).map((field): InputName => `body ${field}`);
      const parameters = (operation.parameters ?? []).flatMap(({ in: place, name }): InputName[] =>
        place === 'path' ? [] : [`${place} ${name}`],
      );
      return [route.key, [...new Set([...fields, ...parameters])]];
    }),
  );
}

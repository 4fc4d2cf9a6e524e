import { isJson, type Json } from './json-schema.ts';

/** The rows of a table of all settings that a schema describes, in Markdown. */
export function settingsTable(schema: object): string {
  const rows = rowsOf({ ...schema }, '').map(({ path, description, fallback }) => `| \`${path}\` | ${description} | ${fallback} |`);
  return ['| setting | | default |', '| --- | --- | --- |', ...rows].join('\n');
}

interface Row {
  readonly path: string;
  readonly description: string;
  readonly fallback: string;
}

function rowsOf(schema: Json, path: string): readonly Row[] {
  const below = (name: string) => (path === '' ? name : `${path}.${name}`);
  const named = isJson(schema.properties) ? Object.entries(schema.properties) : [];
  const entries = isJson(schema.patternProperties) ? Object.values(schema.patternProperties).map((entry) => ['*', entry] as const) : [];
  const nested = [...named, ...entries].flatMap(([name, entry]) => (isJson(entry) ? rowsOf(entry, below(name)) : []));
  if (path === '') return nested;
  const fallback = schema.default === undefined ? '' : JSON.stringify(schema.default);
  return [{ path, description: String(schema.description ?? ''), fallback }, ...nested];
}

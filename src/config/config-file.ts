import { Ajv, type ErrorObject } from 'ajv';
import type { Node } from 'jsonc-parser';
import { ConfigError } from './config-error.ts';
import { type ConfigFile, configSchema } from './config-schema.ts';
import { type LocatedJson, readJson } from './json-text.ts';
import { nearestName } from './nearest-name.ts';

export type { ConfigFile } from './config-schema.ts';

/** Says where a setting is, for the beginning of an error: file, line, column and JSON pointer (RFC 6901); where it is not, what is around it. */
export type PlaceOf = (...names: readonly string[]) => string;

interface ParsedConfigFile {
  readonly file: ConfigFile;
  readonly placeOf: PlaceOf;
}

/** Reads the file's text; throws a `ConfigError` with a line for each problem: the file, line and column, the setting and what is expected. */
export function parseConfigFile(text: string, path: string): ParsedConfigFile {
  const json = readJson(text, path);
  const { value } = json;
  const fits = new Ajv({ allErrors: true, allowUnionTypes: true }).compile<ConfigFile>(configSchema);
  if (fits(value)) return { file: value, placeOf: (...names) => placeIn(json, names) };
  throw new ConfigError(describeProblems(json, fits.errors ?? []));
}

function placeIn({ tree, locate }: LocatedJson, names: readonly string[]): string {
  const pointer = names.map((name) => `/${escaped(name)}`).join('');
  for (let known = names.length; known > 0; known -= 1) {
    const node = nodeAt(tree, names.slice(0, known));
    if (node) return `${locate((node.type === 'object' ? node.parent : node)?.offset ?? node.offset)}: ${pointer}`;
  }
  return `${locate(tree.offset)}: ${pointer === '' ? 'the file' : pointer}`;
}

/** Where the file is wrong, in its order, with each setting as a JSON pointer (RFC 6901), and what belongs there. */
function describeProblems({ tree, locate }: LocatedJson, problems: readonly ErrorObject[]): string {
  // A value can break several rules, and everything that is missing is said at once.
  const places = new Set<string>();
  const lines = problems.flatMap((problem) => {
    const place = placeOfProblem(problem);
    if (places.has(place)) return [];
    places.add(place);
    const offset = offsetOf(problem, tree);
    return [{ offset, line: `${locate(offset)}: ${place === '' ? 'the file' : place} ${expected(problem, problems)}.` }];
  });
  lines.sort((one, other) => one.offset - other.offset);
  return lines.map(({ line }) => line).join('\n');
}

/** A setting that nobody knows is found where it stands, and not in what is around it. */
function placeOfProblem({ keyword, instancePath, params }: ErrorObject): string {
  return keyword === 'additionalProperties' ? `${instancePath}/${escaped(String(params.additionalProperty))}` : instancePath;
}

function offsetOf(problem: ErrorObject, tree: Node): number {
  const node = nodeAt(tree, namesIn(placeOfProblem(problem)));
  const at = problem.keyword === 'additionalProperties' ? node?.parent : node;
  return at?.offset ?? tree.offset;
}

function expected(problem: ErrorObject, problems: readonly ErrorObject[]): string {
  const { keyword, instancePath, params, message } = problem;
  switch (keyword) {
    case 'additionalProperties':
      return unknownSetting(problem);
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`;
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case 'type':
      return Array.isArray(params.type) ? `must be either ${params.type.join(' or ')}` : `must be ${params.type}`;
    case 'required': {
      const missing = problems.filter((other) => other.keyword === keyword && other.instancePath === instancePath);
      return `needs ${missing.map((other) => other.params.missingProperty).join(', ')}`;
    }
    default:
      return message ?? 'is not valid';
  }
}

function unknownSetting({ schemaPath, params }: ErrorObject): string {
  const nearest = nearestName(String(params.additionalProperty), settingsAt(schemaPath));
  return `is not a known setting: ${nearest === null ? 'remove it or correct its name' : `perhaps "${nearest}" is meant`}`;
}

/** The settings that the schema knows where it refuses others: `schemaPath` points at its `additionalProperties`. */
function settingsAt(schemaPath: string): readonly string[] {
  let schema: unknown = configSchema;
  for (const name of namesIn(decodeURIComponent(schemaPath)).slice(0, -1)) schema = property(schema, name);
  return Object.keys(property(schema, 'properties') ?? {});
}

function property(value: unknown, name: string): object | null {
  const found = typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : null;
  return typeof found === 'object' ? found : null;
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function namesIn(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function nodeAt(tree: Node, names: readonly string[]): Node | undefined {
  let node: Node | undefined = tree;
  for (const name of names) {
    const children: readonly Node[] = node?.children ?? [];
    node = node?.type === 'array' ? children[Number(name)] : children.find((entry) => entry.children?.[0]?.value === name)?.children?.[1];
  }
  return node;
}

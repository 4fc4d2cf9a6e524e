import type { Node } from 'jsonc-parser';
import { Settings } from 'typebox/system';
import { Errors } from 'typebox/value';
import { ConfigError } from './config-error.ts';
import { type ConfigFile, configSchema } from './config-schema.ts';
import { type LocatedJson, readJson } from './json-text.ts';
import { nearestName } from './nearest-name.ts';

export type { ConfigFile } from './config-schema.ts';

/** Says where a setting is, for the beginning of an error: file, line, column and JSON pointer (RFC 6901); where it is not, what is around it. */
export type PlaceOf = (...names: readonly string[]) => string;

/** Findings of the schema, of which an unknown setting makes two; typebox would stop at eight. */
const MAX_PROBLEMS = 1_000;

interface ParsedConfigFile {
  readonly file: ConfigFile;
  readonly placeOf: PlaceOf;
}

/** Reads the file's text; throws a `ConfigError` with a line for each problem: the file, line and column, the setting and what is expected. */
export function parseConfigFile(text: string, path: string): ParsedConfigFile {
  const json = readJson(text, path);
  const { value } = json;
  if (isConfigFile(value)) return { file: value, placeOf: (...names) => placeIn(json, names) };
  throw new ConfigError(describeProblems(json));
}

function placeIn({ tree, locate }: LocatedJson, names: readonly string[]): string {
  const pointer = names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  for (let known = names.length; known > 0; known -= 1) {
    const node = nodeAt(tree, names.slice(0, known));
    if (node) return `${locate((node.type === 'object' ? node.parent : node)?.offset ?? node.offset)}: ${pointer}`;
  }
  return `${locate(tree.offset)}: ${pointer === '' ? 'the file' : pointer}`;
}

function isConfigFile(value: unknown): value is ConfigFile {
  return Errors(configSchema, value).length === 0;
}

/** Where the file is wrong, in its order, with each setting as a JSON pointer (RFC 6901), and what belongs there. */
function describeProblems({ value, tree, locate }: LocatedJson): string {
  const problems = findProblems(value);
  // An unknown setting is reported twice, once at its own place, and a value can break several rules.
  const places = new Set<string>();
  const lines = problems.flatMap((problem) => {
    const place = problem.instancePath;
    if (problem.keyword === 'additionalProperties' || places.has(place)) return [];
    places.add(place);
    const offset = offsetOf(problem, tree);
    return [{ offset, line: `${locate(offset)}: ${place === '' ? 'the file' : place} ${expected(problem)}.` }];
  });
  if (lines.length === 0) return `${locate(tree.offset)}: the file is not valid.`;
  lines.sort((one, other) => one.offset - other.offset);
  return lines.map(({ line }) => line).join('\n');
}

function findProblems(value: unknown): readonly Problem[] {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: MAX_PROBLEMS });
  try {
    return Errors(configSchema, value);
  } finally {
    // Of this process as a whole: whoever checks requests wants the few of before.
    Settings.Set({ maxErrors });
  }
}

function offsetOf({ keyword, instancePath }: Problem, tree: Node): number {
  const node = nodeAt(tree, namesIn(instancePath));
  const at = keyword === 'boolean' ? node?.parent : node;
  return at?.offset ?? tree.offset;
}

type Problem = ReturnType<typeof Errors>[number];

function expected(problem: Problem): string {
  switch (problem.keyword) {
    case 'boolean':
      return unknownSetting(problem);
    case 'enum':
      return `must be one of ${problem.params.allowedValues.join(', ')}`;
    case 'const':
      return `must be ${JSON.stringify(problem.params.allowedValue)}`;
    case 'required':
      return `needs ${problem.params.requiredProperties.join(', ')}`;
    default:
      return problem.message;
  }
}

function unknownSetting({ instancePath, schemaPath }: Problem): string {
  const typed = namesIn(instancePath).at(-1) ?? '';
  const nearest = nearestName(typed, settingsAt(schemaPath));
  return `is not a known setting: ${nearest === null ? 'remove it or correct its name' : `perhaps "${nearest}" is meant`}`;
}

/** The settings that the schema knows where it refuses others: `schemaPath` points at its `additionalProperties`. */
function settingsAt(schemaPath: string): readonly string[] {
  let schema: unknown = configSchema;
  for (const name of schemaPath.split('/').slice(1, -1)) schema = property(schema, name);
  return Object.keys(property(schema, 'properties') ?? {});
}

function property(value: unknown, name: string): object | null {
  const found = typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : null;
  return typeof found === 'object' ? found : null;
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

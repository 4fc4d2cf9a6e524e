import { type Node, type ParseError, type ParseErrorCode, parseTree, printParseErrorCode } from 'jsonc-parser';
import { ConfigError } from './config-error.ts';

/** Far more than any setting needs; parsers end in a full stack at some thousands. */
const MAX_DEPTH = 64;

/** Where something stands in a file: `path:line:column`, which editors and terminals make into a link. */
type Locate = (offset: number) => string;

/** JSON as it was read, with the place of everything in it. */
export interface LocatedJson {
  readonly value: unknown;
  readonly tree: Node;
  readonly locate: Locate;
}

/** Reads JSON (RFC 8259) without names that occur twice; throws a `ConfigError` with line and column of what is wrong. */
export function readJson(text: string, path: string): LocatedJson {
  const locate = locator(text, path);
  const tooDeep = offsetBelow(text, MAX_DEPTH);
  if (tooDeep !== null) throw new ConfigError(`${locate(tooDeep)}: is nested deeper than ${MAX_DEPTH} levels.`);
  const errors: ParseError[] = [];
  const tree = parseTree(text.replace(/^\uFEFF/, ' '), errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first) throw new ConfigError(`${locate(first.offset)}: is not valid JSON: ${explain(first.error, text, first.offset)}.`);
  if (!tree) throw new ConfigError(`${path}:1:1: is empty: write at least {"version": 1}.`);
  const repeated = repeatedNames(tree).map(
    ({ offset, value }) => `${locate(offset)}: the setting ${JSON.stringify(value)} is there twice: remove one.`,
  );
  if (repeated.length > 0) throw new ConfigError(repeated.join('\n'));
  return { value: parse(text, path), tree, locate };
}

/** Where brackets outside of texts open the first level below `depth`; null when none does. */
function offsetBelow(text: string, depth: number): number | null {
  let open = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfText(text, at);
    else if (character === '[' || character === '{') open += 1;
    else if (character === ']' || character === '}') open -= 1;
    if (open > depth) return at;
  }
  return null;
}

function endOfText(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** The last word is `JSON.parse`'s: what it does not take is no JSON, whatever the parser that knows places makes of it. */
function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    if (error instanceof SyntaxError) throw new ConfigError(`${path}: is not valid JSON: ${error.message}.`);
    throw error;
  }
}

function locator(text: string, path: string): Locate {
  return (offset) => {
    const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
    const column = (lines.at(-1) ?? '').length + 1;
    return `${path}:${lines.length}:${column}`;
  };
}

function explain(code: ParseErrorCode, text: string, offset: number): string {
  if (text.startsWith('//', offset) || text.startsWith('/*', offset)) return 'comments are not allowed';
  const kind = printParseErrorCode(code);
  if (/[}\]]/.test(text[offset] ?? '') && /,\s*$/.test(text.slice(0, offset))) return 'a comma must not stand before a closing bracket';
  return WORDS[kind] ?? 'something here does not belong';
}

/** By the names that jsonc-parser gives its findings. */
const WORDS: Readonly<Record<string, string>> = {
  InvalidNumberFormat: 'this is no number',
  PropertyNameExpected: 'a name in double quotes is expected',
  ValueExpected: 'a value is expected',
  ColonExpected: 'a colon is expected',
  CommaExpected: 'a comma is expected',
  CloseBraceExpected: 'a closing brace is expected',
  CloseBracketExpected: 'a closing bracket is expected',
  EndOfFileExpected: 'nothing more is expected',
  UnexpectedEndOfString: 'this text has no closing quote',
  UnexpectedEndOfNumber: 'this number has no end',
  InvalidUnicode: 'this \\u escape is not valid',
  InvalidEscapeCharacter: 'this escape is not valid',
  InvalidCharacter: 'a control character must be written as an escape',
};

function repeatedNames(node: Node): readonly Node[] {
  const names = new Set<unknown>();
  return (node.children ?? []).flatMap((child) => {
    const [key, value] = node.type === 'object' ? (child.children ?? []) : [undefined, child];
    const repeated = key !== undefined && names.has(key.value) ? [key] : [];
    if (key) names.add(key.value);
    return value === undefined ? repeated : [...repeated, ...repeatedNames(value)];
  });
}

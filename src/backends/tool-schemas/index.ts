import { createHash } from 'node:crypto';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ToolSchemas } from '../../core/ports/tool-schemas.ts';
import type { JsonObject } from '../../core/thread.ts';
import type { ToolDefinition, ToolDigest } from '../../core/tool.ts';
import { canonicalJson } from './canonical-json.ts';
import { withinTime } from './within-time.ts';

/** Compiled schemas that are kept; the one not used for longest makes room. */
const MAX_COMPILED = 500;
const MAX_PROBLEM = 500;
/** So long a check may keep everything else waiting, once: what is slower is not used again, and the next one gets half of that. */
const MAX_CHECK_MS = 1_000;
const MIN_CHECK_MS = 60;
const UNREADABLE = 'The schema of this tool cannot be read, so nothing can be checked against it';

type Check = ValidateFunction | null;

/** Tools' schemas as JSON Schema 2020-12, each compiled once as long as it is in use. */
export function createToolSchemas(): ToolSchemas {
  const compiled = new Map<ToolDigest, Check>();
  const digests = new WeakMap<ToolDefinition, ToolDigest>();
  let checkMs = MAX_CHECK_MS;

  function digest(definition: ToolDefinition): ToolDigest {
    const known = digests.get(definition) ?? digestOf(definition);
    digests.set(definition, known);
    return known;
  }

  function checkOf(definition: ToolDefinition): Check {
    const name = digest(definition);
    const check = compiled.has(name) ? (compiled.get(name) ?? null) : compile(definition);
    compiled.delete(name);
    compiled.set(name, check);
    for (const oldest of compiled.keys()) if (compiled.size > MAX_COMPILED) compiled.delete(oldest);
    return check;
  }

  return {
    digest,
    problem(definition, args) {
      const check = checkOf(definition);
      if (check === null) return UNREADABLE;
      const fits = outcomeOf(check, args, checkMs);
      if (typeof fits === 'boolean') return fits ? null : wordsOf(check);
      compiled.set(digest(definition), null);
      if (fits === 'endless') return UNREADABLE;
      // So that many of them together keep nobody waiting for long.
      checkMs = Math.max(MIN_CHECK_MS, Math.floor(checkMs / 2));
      return 'It takes too long to check them against the schema of this tool';
    },
  };
}

function digestOf({ name, description, parameters, readOnly }: ToolDefinition): ToolDigest {
  return createHash('sha256').update(canonicalJson({ name, description, parameters, readOnly })).digest('hex');
}

/** A schema that refers to itself without an end uses up the stack. */
function outcomeOf(check: ValidateFunction, args: JsonObject, ms: number): boolean | 'too_slow' | 'endless' {
  try {
    return withinTime(ms, () => check(args));
  } catch (error) {
    if (error instanceof RangeError && !('code' in error)) return 'endless';
    throw error;
  }
}

/** A schema of its own, so that no tool's `$id` is another's. Null for one that is none. */
function compile({ parameters }: ToolDefinition): Check {
  // An asynchronous check would answer with a promise, which is never false.
  const { $schema: _dialect, $async: _asynchronous, ...schema } = parameters;
  try {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false, logger: false, inlineRefs: false });
    const check = withinTime(MAX_CHECK_MS, () => ajv.compile(schema));
    return check === 'too_slow' ? null : check;
  } catch {
    return null;
  }
}

function wordsOf({ errors }: ValidateFunction): string {
  const [first] = errors ?? [];
  if (first === undefined) return 'They do not match the schema';
  const place = first.instancePath === '' ? 'the arguments' : first.instancePath;
  const expected = first.keyword === 'additionalProperties' ? `: ${JSON.stringify(first.params.additionalProperty)}` : '';
  return `${place} ${first.message ?? 'is not valid'}${expected}`.slice(0, MAX_PROBLEM).toWellFormed();
}

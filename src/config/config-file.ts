import { type Static, type TProperties, Type } from 'typebox';
import { Errors } from 'typebox/value';
import { ConfigError } from './config-error.ts';

const closed = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: false });
const count = (minimum: number) => Type.Optional(Type.Integer({ minimum, maximum: 2_147_483_647 }));
const name = Type.String({ minLength: 1, maxLength: 255 });

const model = closed({
  provider: name,
  /** The provider's own name; without one the public name goes to the provider as it is. */
  model: Type.Optional(name),
  window: count(256),
  maxOutput: count(1),
});

const configFile = closed({
  $schema: Type.Optional(Type.String()),
  version: Type.Literal(1),
  defaultModel: Type.Optional(name),
  models: Type.Optional(Type.Record(name, model)),
  providers: Type.Optional(Type.Record(name, closed({ baseUrl: name, apiKeyEnv: Type.Optional(name) }))),
  demo: Type.Optional(closed({ tokenDelayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 })) })),
  levia: Type.Optional(closed({ carryTurns: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })) })),
  chatWs: Type.Optional(closed({ greeting: Type.Optional(Type.Boolean()), contentBytes: count(1) })),
  limits: Type.Optional(
    closed({
      bodyBytes: count(1024),
      queuedRunsPerThread: count(1),
      readersPerRun: count(1),
      drainSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 3600 })),
      runSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
      idleSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3600 })),
      answerChars: count(1),
    }),
  ),
});

/** What `polylogue.config.json` may say. */
export type ConfigFile = Static<typeof configFile>;

/** Reads the file's text; throws a `ConfigError` that names the file, the place and what is expected there. */
export function parseConfigFile(text: string, path: string): ConfigFile {
  const value = parseJson(text, path);
  if (isConfigFile(value)) return value;
  const { place, expected } = firstProblem(value);
  throw new ConfigError(`${path}: ${place === '' ? 'the file' : place} ${expected}.`);
}

function isConfigFile(value: unknown): value is ConfigFile {
  return Errors(configFile, value).length === 0;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    if (error instanceof SyntaxError) throw new ConfigError(`${path} is not valid JSON: ${error.message}.`);
    throw error;
  }
}

/** Where the file is wrong (a JSON pointer, RFC 6901) and what belongs there. */
function firstProblem(value: unknown): { place: string; expected: string } {
  const problems = Errors(configFile, value);
  const problem = problems.find((one) => one.keyword !== 'additionalProperties') ?? problems[0];
  if (problem === undefined) return { place: '', expected: 'is not valid' };
  const place = problem.instancePath;
  if (problem.keyword === 'boolean') return { place, expected: 'is not a known setting: remove it or correct its name' };
  if (problem.keyword === 'const') return { place, expected: `must be ${JSON.stringify(problem.params.allowedValue)}` };
  if (problem.keyword === 'required') return { place, expected: `needs ${problem.params.requiredProperties.join(', ')}` };
  return { place, expected: problem.message };
}

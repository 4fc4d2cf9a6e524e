import { type Static, type TProperties, type TSchema, Type } from '../core/schema.ts';
import { agentsSchema } from './agent-schema.ts';
import { egressSchema, mcpSchema, toolsSchema } from './tool-schema.ts';

const BIGGEST = 2_147_483_647;

interface Described {
  readonly description: string;
  readonly default?: unknown;
}

const closed = <Properties extends TProperties>(description: string, properties: Properties) =>
  Type.Object(properties, { additionalProperties: false, description });

const named = <Entry extends TSchema>(description: string, entry: Entry) =>
  Type.Optional(Type.Record(Type.String({ pattern: '^.{1,255}$' }), entry, { additionalProperties: false, description }));

const name = (description: string) => Type.String({ minLength: 1, maxLength: 255, description });

const integer = ([minimum, maximum]: readonly [number, number], about: Described) =>
  Type.Optional(Type.Integer({ minimum, maximum, ...about }));

const count = (minimum: number, about: Described) => integer([minimum, BIGGEST], about);

/** A bound that null takes away. */
const bound = (description: string) =>
  Type.Optional(Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 1, maximum: BIGGEST, description }));

const use = (whose: string) =>
  Type.Optional(
    closed(`What ${whose} may use; null is without bound.`, {
      requestsPerMinute: bound('HTTP requests and WebSocket frames in a minute, counted by each server process for itself.'),
      messagesPerMinute: bound('Messages to be answered in a minute, counted by all servers of the store together.'),
      messagesPerHour: bound('Messages to be answered in an hour, counted by all servers of the store together.'),
      concurrentRuns: bound('Answers that are being written or wait to be, in all servers of the store.'),
      connections: bound('Open event streams and WebSockets of each server process.'),
    }),
  );

const limits = closed('Bounds that hold for everybody.', {
  bodyBytes: count(1024, { description: 'Largest JSON body of a request, in bytes.', default: 1_048_576 }),
  queuedRunsPerThread: count(1, { description: 'Messages that may wait in one thread behind the one being answered.', default: 20 }),
  readersPerRun: count(1, { description: 'Connections that may read one answer at once.', default: 1000 }),
  drainSeconds: integer([0, 3600], { description: 'How long a server that stops lets answers go on.', default: 20 }),
  runSeconds: integer([1, 86_400], { description: 'The longest time an answer may take.', default: 1800 }),
  idleSeconds: integer([1, 3600], { description: 'How long a model provider may stay silent.', default: 60 }),
  answerChars: count(1, { description: 'The longest answer, in UTF-16 code units.', default: 4_000_000 }),
  fileMebibytesPerUser: count(1, {
    description: 'What all files of one user may take, in MiB; files of the same bytes count once.',
    default: 1024,
  }),
});

const model = closed('A public model name and what stands behind it.', {
  provider: name('The provider that serves it: a name under "providers", "openai", "anthropic", "google", or "demo".'),
  model: Type.Optional(name("The provider's own name of the model; without it the public name.")),
  window: count(256, { description: 'Tokens that question and answer may take together.' }),
  maxOutput: count(1, { description: 'Tokens kept free for the answer when a caller sets no limit.' }),
});

const PROVIDER_KINDS = ['openai-compatible', 'anthropic', 'google'] as const;

const provider = closed('Who serves models.', {
  kind: Type.Optional(Type.Enum(PROVIDER_KINDS, { description: 'The protocol it speaks; openai-compatible when left out.' })),
  baseUrl: Type.Optional(
    name(
      "Its address up to and with the version, such as https://api.openai.com/v1; anthropic and google need it only where it is not the vendor's own.",
    ),
  ),
  apiKeyEnv: Type.Optional(name('The environment variable that holds its API key.')),
});

const tier = closed('An allowance that applications and keys refer to by name. What is left out comes from the built-in default tier.', {
  user: use('each user of an application'),
  application: use('an application with all its users'),
});

/** What `polylogue.config.json` may say, for programs and, by its descriptions, for people. */
export const configSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'Where editors find this schema.' })),
    version: Type.Literal(1, { description: 'The version of this format.' }),
    defaultModel: Type.Optional(name('The public name of the model that answers when nobody names one.')),
    models: named('Models by public name. Without any, the models are those that the providers list.', model),
    providers: named('Model providers by name.', provider),
    demo: Type.Optional(
      closed('The built-in demo model.', { tokenDelayMs: integer([0, 60_000], { description: 'Milliseconds between its words.' }) }),
    ),
    levia: Type.Optional(
      closed('The levia door.', {
        carryTurns: integer([0, 100], {
          description: "Turns of a user's latest thread that a new session starts with; 0 for none.",
          default: 3,
        }),
      }),
    ),
    chatWs: Type.Optional(
      closed('The chat-ws door.', {
        greeting: Type.Optional(
          Type.Boolean({ description: 'Whether an empty thread greets whoever asks for its history.', default: true }),
        ),
        contentBytes: count(1, { description: 'Longest message, in bytes of UTF-8.', default: 32_768 }),
      }),
    ),
    agents: Type.Optional(agentsSchema),
    mcp: mcpSchema,
    tools: Type.Optional(toolsSchema),
    egress: Type.Optional(egressSchema),
    limits: Type.Optional(limits),
    tokens: Type.Optional(
      closed("What tokens of the default application's users must say.", {
        issuer: Type.Optional(name('Required as "iss".')),
        audience: Type.Optional(name('Required among "aud".')),
      }),
    ),
    tiers: named('Allowances by name: "default" for whoever has none, "development" for the development key.', tier),
    metrics: Type.Optional(
      closed('What /metrics tells monitoring.', {
        public: Type.Optional(
          Type.Boolean({
            description:
              'Whether /metrics asks for no API key; without it, only when the server listens on loopback and NODE_ENV is not production.',
          }),
        ),
      }),
    ),
  },
  { additionalProperties: false, description: 'Settings of a Polylogue server.' },
);

/** What the file says, once it has been checked. */
export type ConfigFile = Static<typeof configSchema>;

/** What `polylogue.config.schema.json` holds (JSON Schema 2020-12): editors check and complete the file with it. */
export function configSchemaDocument(): object {
  const head = { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: 'urn:polylogue:config:1', title: 'polylogue.config.json' };
  return { ...head, ...configSchema };
}

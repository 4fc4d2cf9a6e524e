import { expect, test } from 'vitest';
import { ConfigError } from './config/config-error.ts';
import { loadConfig } from './config.ts';

const STRONG = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

function load(env: Record<string, string>, file?: unknown) {
  const text = file === undefined ? null : typeof file === 'string' ? file : JSON.stringify(file);
  return loadConfig({ env, cwd: '/srv', readFile: (path) => (path === '/srv/polylogue.config.json' ? text : null) });
}

test('without any setting the server listens on loopback with the development key', () => {
  expect(load({})).toMatchObject({
    port: 8000,
    host: '127.0.0.1',
    dataDir: '/srv/data',
    logLevel: 'info',
    production: false,
    developmentKey: 'dev-api-key-change-in-production',
    signingSecrets: [],
    providers: [],
    models: [],
    defaultModel: null,
    levia: { carryTurns: 3 },
    limits: {
      bodyBytes: 1_048_576,
      queuedRunsPerThread: 20,
      readersPerRun: 1000,
      drainSeconds: 20,
      runSeconds: 1800,
      idleSeconds: 60,
      answerChars: 4_000_000,
      fileMebibytesPerUser: 1024,
    },
    warnings: [],
  });
});

test('the result cannot be changed, however deep', () => {
  const config = load({}, { version: 1, defaultModel: 'a', models: { a: { provider: 'demo' } } });
  for (const value of [config, config.limits, config.models, config.models[0]]) expect(Object.isFrozen(value)).toBe(true);
});

test('empty variables count as unset', () => {
  const env = Object.fromEntries(
    ['PORT', 'HOST', 'DATA_DIR', 'DATABASE_URL', 'OPENAI_API_KEY', 'JWT_SECRET_KEY', 'LOG_LEVEL', 'POLYLOGUE_CONFIG'].map((name) => [
      name,
      ' ',
    ]),
  );
  expect(load(env)).toEqual(load({}));
});

test.each(['80a', '-1', '65536', '1e3', '0x10', '8000.0', '99999999'])('PORT=%s stops the start', (text) => {
  expect(() => load({ PORT: text })).toThrow(/^PORT must be an integer from 0 to 65535/);
});

test('PORT=0 leaves the choice to the system', () => expect(load({ PORT: '0' }).port).toBe(0));

test.each([
  [{ DATABASE_URL: 'mysql://user:pw@db/x' }, /^DATABASE_URL must look like postgresql:/],
  [{ DATABASE_URL: 'postgres://user:p%w@db/x' }, /^DATABASE_URL must look like postgresql:/],
  [{ DATABASE_URL: 'postgresql://user:pw@db:port/x' }, /^DATABASE_URL must look like postgresql:/],
  [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of trace, debug/],
  [{ ALLOWED_ORIGINS: 'https://a.example, ,*' }, /^ALLOWED_ORIGINS must list origins .*: entry 2 is none\.$/],
  [{ ALLOWED_ORIGINS: 'https://a.example/path' }, /^ALLOWED_ORIGINS must/],
  [{ OPENAI_BASE_URL: 'ftp://x' }, /^OPENAI_BASE_URL must be an http or https address/],
  [{ POLYLOGUE_CONFIG: 'other.json' }, /^POLYLOGUE_CONFIG names \/srv\/other\.json, but there is no such file/],
])('%j stops the start', (env, message) => {
  expect(() => load(env)).toThrow(message);
});

test('what may hold a password or a key is not repeated', () => {
  for (const text of ['https://user:sesame@a.example', 'sesame', 'https://a.example/?key=sesame']) {
    expect(() => load({ ALLOWED_ORIGINS: `https://b.example,${text}` })).toThrow(/^ALLOWED_ORIGINS must .* entry 2 /);
    expect(() => load({ ALLOWED_ORIGINS: text })).not.toThrow(/sesame/);
  }
  const providers = { groq: { baseUrl: 'https://x/v1', apiKeyEnv: 'gsk_sesame' } };
  expect(() => load({}, { version: 1, providers })).toThrow(/\/providers\/groq\/apiKeyEnv must be the name of an environment variable/);
  expect(() => load({}, { version: 1, providers })).not.toThrow(/sesame/);
});

test('the database address with its password is not repeated', () => {
  expect(() => load({ DATABASE_URL: 'postgres://user:sesame@db:port/x' })).not.toThrow(/sesame/);
});

test.each(['postgres://db/x', 'postgresql://user:p%40w@db:5433/x?sslmode=require', 'postgresql://user@/x?host=/run/postgresql'])(
  'DATABASE_URL=%s chooses the PostgreSQL store',
  (url) => expect(load({ DATABASE_URL: url }).databaseUrl).toBe(url),
);

test.each([
  ['{"version": 1,\n "limits": }', /config\.json:2:12: is not valid JSON: a value is expected/],
  ['', /config\.json:1:1: is not valid JSON: a value is expected/],
  ['{"version": 1,\n // limits\n "limits": {}}', /config\.json:2:2: is not valid JSON: comments are not allowed/],
  ['{"version": 1,\r\n "limits": {},\r\n}', /config\.json:3:1: is not valid JSON: a comma must not stand before a closing bracket/],
  ['{"version": 1, "limits": {"runSeconds": 1,\n "runSeconds": 2}}', /config\.json:2:2: the setting "runSeconds" is there twice/],
  ['{"version": 01}', /config\.json:1:\d+: is not valid JSON/],
  [[], /config\.json:1:1: the file must be object/],
  [{}, /config\.json:1:1: the file needs version/],
  [{ version: 2 }, /config\.json:1:12: \/version must be 1/],
  [{ version: 1, limit: {} }, /config\.json:1:14: \/limit is not a known setting: perhaps "limits" is meant/],
  ['{"version": 1,\n "limits": {"bodyByte": 1}}', /config\.json:2:13: \/limits\/bodyByte is not a known setting: perhaps "bodyBytes" is/],
  [{ version: 1, limits: { colour: 1 } }, /\/limits\/colour is not a known setting: remove it or correct its name/],
  [{ version: 1, tiers: { 'a/b': { user: { conections: 1 } } } }, /\/tiers\/a~1b\/user\/conections is not a .*: perhaps "connections" is/],
  [{ version: 1, limits: { bodyBytes: '1' } }, /config\.json:1:36: \/limits\/bodyBytes must be integer/],
  [{ version: 1, limits: { queuedRunsPerThread: 0 } }, /config\.json:1:\d+: \/limits\/queuedRunsPerThread must be >= 1/],
  ['{"version": 1, "__proto__": {}}', /config\.json:1:16: \/__proto__ is not a known setting/],
  [{ version: 1, tiers: { 'a/b': { user: { conections: 5 } } } }, /\/tiers\/a~1b\/user\/conections is not .* perhaps "connections" is/],
  [{ version: 1, tiers: { free: { user: { connections: 'x' } } } }, /\/tiers\/free\/user\/connections must be either integer or null/],
  [{ version: 1, tiers: { free: { user: { connections: 0 } } } }, /\/tiers\/free\/user\/connections must be >= 1/],
  [{ version: 1, tiers: { '': {} } }, /config\.json:1:\d+: \/tiers\/ is not a known setting/],
  ['{"version": 1,\n "models": {"a": {"provider": "groq"}}}', /config\.json:2:31: \/models\/a\/provider must be one of demo, not "groq"/],
  [
    '{"version": 1, "providers": {\n "groq": {"baseUrl": "groq"}}}',
    /config\.json:2:22: \/providers\/groq\/baseUrl must be an http or https/,
  ],
  ['{"version": 1, "providers": {\n "a/b": {"baseUrl": "x"}}}', /config\.json:2:21: \/providers\/a~1b\/baseUrl must be an http or https/],
  ['{"version": 1, "providers": {\n "groq": {}}}', /config\.json:2:2: \/providers\/groq needs baseUrl/],
  [
    '{"version": 1, "providers": {"groq": {"baseUrl": "https://x/v1",\n "apiKeyEnv": "GROQ"}}}',
    /config\.json:2:15: \/providers\/groq\/apiKeyEnv names GROQ, but that environment variable is not set/,
  ],
  ['{"version": 1, "providers": {\n "demo": {"baseUrl": "https://x/v1"}}}', /config\.json:2:2: \/providers\/demo uses a reserved name/],
  [
    '{"version": 1, "providers": {\n "claude": {"kind": "anthropic"}}}',
    /config\.json:2:2: \/providers\/claude needs a key: set ANTHROPIC_API_KEY, or apiKeyEnv/,
  ],
  [
    '{"version": 1,\n "defaultModel": "slow", "models": {"fast": {"provider": "demo"}}}',
    /config\.json:2:18: \/defaultModel must be one of fast, not "slow"/,
  ],
  ['{"version": 1,\n "models": {"fast": {"provider": "demo"}}}', /config\.json:1:1: the file needs defaultModel, one of fast/],
])('the file %j stops the start with file, place and what is expected', (file, message) => {
  expect(() => load({}, file)).toThrow(message);
});

test('all problems of the file are told at once, one a line, in its order', () => {
  const file = `{"version": 2,
 "tiers": {"free": {"user": {"colour": 1, "connections": "x"}}},
 "models": {"a": {}},
 "limits": {"bodyByte": 1, "drainSeconds": -0.5},
 "metrics": 3}`;
  const place = '/srv/polylogue.config.json';
  expect(() => load({}, file)).toThrow(
    new ConfigError(
      [
        `${place}:1:13: /version must be 1.`,
        `${place}:2:30: /tiers/free/user/colour is not a known setting: remove it or correct its name.`,
        `${place}:2:58: /tiers/free/user/connections must be either integer or null.`,
        `${place}:3:18: /models/a needs provider.`,
        `${place}:4:13: /limits/bodyByte is not a known setting: perhaps "bodyBytes" is meant.`,
        `${place}:4:44: /limits/drainSeconds must be integer.`,
        `${place}:5:13: /metrics must be object.`,
      ].join('\n'),
    ),
  );
  const repeated = '{"version": 1, "levia": {},\n "limits": {"runSeconds": 1, "runSeconds": 2},\n "levia": {}}';
  expect(() => load({}, repeated)).toThrow(
    new ConfigError(
      `${place}:2:30: the setting "runSeconds" is there twice: remove one.\n${place}:3:2: the setting "levia" is there twice: remove one.`,
    ),
  );
});

test('a tier takes what it leaves out from the built-in one, and null for no bound', () => {
  const { tiers } = load({}, { version: 1, tiers: { free: { user: { messagesPerMinute: 5, connections: null } }, default: {} } });
  const user = { requestsPerMinute: 6_000, messagesPerMinute: 600, messagesPerHour: 10_000, concurrentRuns: 200, connections: 500 };
  expect(tiers.free?.user).toEqual({ ...user, messagesPerMinute: 5, connections: null });
  expect(tiers.free?.application).toEqual(tiers.default?.application);
  expect(tiers.default).toEqual({
    user,
    application: {
      requestsPerMinute: 120_000,
      messagesPerMinute: 30_000,
      messagesPerHour: 500_000,
      concurrentRuns: 5_000,
      connections: 20_000,
    },
  });
  const bounds = Object.values({ ...tiers.development?.user, ...tiers.development?.application });
  expect(bounds).toHaveLength(5);
  expect(new Set(bounds)).toEqual(new Set([null]));
});

test('the development tier is bounded where the file says so', () => {
  const { tiers } = load({}, { version: 1, tiers: { development: { user: { concurrentRuns: 1 } } } });
  expect(tiers.development?.user).toMatchObject({ concurrentRuns: 1, messagesPerMinute: null });
});

test('metrics are open in development where only this machine can ask, unless the file decides', () => {
  expect(load({}).metrics.public).toBe(true);
  expect(load({ HOST: '10.0.0.5', JWT_SECRET_KEY: STRONG }).metrics.public).toBe(false);
  expect(load({ HOST: '10.0.0.5', JWT_SECRET_KEY: STRONG }, { version: 1, metrics: { public: true } }).metrics.public).toBe(true);
  expect(load({}, { version: 1, metrics: { public: false } }).metrics.public).toBe(false);
  expect(load({ NODE_ENV: 'production' }).metrics.public).toBe(false);
  expect(load({ NODE_ENV: 'production' }, { version: 1, metrics: { public: true } }).metrics.public).toBe(true);
});

test('providers and models of the file, with keys from the environment', () => {
  const file = {
    version: 1,
    defaultModel: 'fast',
    providers: { groq: { baseUrl: 'https://api.groq.example/v1/', apiKeyEnv: 'GROQ' } },
    models: { fast: { provider: 'groq', model: 'llama', window: 8192 }, 'gpt-4': { provider: 'openai' } },
    limits: { drainSeconds: 5 },
  };
  const config = load({ GROQ: 'k1', OPENAI_API_KEY: 'k2' }, file);
  expect(config.providers).toEqual([
    { kind: 'openai-compatible', name: 'groq', baseUrl: 'https://api.groq.example/v1', apiKey: 'k1' },
    { kind: 'openai-compatible', name: 'openai', baseUrl: 'https://api.openai.com/v1', apiKey: 'k2' },
  ]);
  expect(config.models).toEqual([
    { name: 'fast', provider: 'groq', upstream: 'llama', window: 8192, maxOutput: null },
    { name: 'gpt-4', provider: 'openai', upstream: 'gpt-4', window: null, maxOutput: null },
  ]);
  expect(config.limits).toMatchObject({ drainSeconds: 5, runSeconds: 1800 });
});

test('a local OpenAI-compatible server needs no key', () => {
  const config = load({ OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1/' });
  expect(config.providers).toEqual([{ kind: 'openai-compatible', name: 'openai', baseUrl: 'http://127.0.0.1:11434/v1', apiKey: null }]);
});

test('keys of Anthropic and Google in the environment switch them on, unless the file has providers of these names', () => {
  const keys = { ANTHROPIC_API_KEY: 'a', GOOGLE_GENERATIVE_AI_API_KEY: 'g' };
  const google = { kind: 'google', name: 'google', baseUrl: null, apiKey: 'g' };
  expect(load(keys)).toMatchObject({
    providers: [{ kind: 'anthropic', name: 'anthropic', baseUrl: null, apiKey: 'a' }, google],
    warnings: [],
  });
  const providers = {
    anthropic: { kind: 'anthropic', baseUrl: 'http://127.0.0.1:9/v1/' },
    claude: { kind: 'anthropic' },
    other: { kind: 'google', apiKeyEnv: 'OTHER' },
  };
  expect(load({ ...keys, OTHER: 'o' }, { version: 1, providers }).providers).toEqual([
    // Not the key of the environment: that belongs to the vendor, and this address may be anybody's.
    { kind: 'anthropic', name: 'anthropic', baseUrl: 'http://127.0.0.1:9/v1', apiKey: null },
    { kind: 'anthropic', name: 'claude', baseUrl: null, apiKey: 'a' },
    { kind: 'google', name: 'other', baseUrl: null, apiKey: 'o' },
    google,
  ]);
});

test.each([
  [{ kind: 'anthropic' }, /\/providers\/p needs a key: set ANTHROPIC_API_KEY, or apiKeyEnv/],
  [{ kind: 'openai-compatible' }, /\/providers\/p needs baseUrl/],
  [{}, /\/providers\/p needs baseUrl/],
  [{ kind: 'bedrock', baseUrl: 'https://x' }, /\/providers\/p\/kind must be one of openai-compatible, anthropic, google/],
])('the provider %j stops the start', (provider, message) => {
  expect(() => load({}, { version: 1, providers: { p: provider } })).toThrow(message);
});

test('a file that is nested without end stops the start with line and place', () => {
  const deep = `{"version": 1,\n "models": ${'['.repeat(200_000)}`;
  expect(() => load({}, deep)).toThrow(/config\.json:2:75: is nested deeper than 64 levels\.$/);
  const text = `{"version": 1, "a": "${'['.repeat(100)}\\"${'{'.repeat(100)}"}`;
  expect(() => load({}, text)).toThrow(/config\.json:1:\d+: \/a is not a known setting/);
});

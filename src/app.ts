import type { Logger } from 'pino';
import { assistantGraph } from './agents/assistant-graph.ts';
import { systemClock } from './backends/clock/system-clock.ts';
import { randomIds } from './backends/ids/random-ids.ts';
import { createLogger } from './backends/logger/create-logger.ts';
import { createLogObserver } from './backends/logger/log-observer.ts';
import { createCatalogue, type RefreshableCatalogue } from './backends/models/catalogue.ts';
import { createDemoProvider } from './backends/models/demo/provider.ts';
import { createOpenAiCompatibleProvider } from './backends/models/openai-compatible/provider.ts';
import { openSqliteStore } from './backends/stores/sqlite/index.ts';
import { createTokenCounter } from './backends/tokenizer/token-counter.ts';
import { createCredentials } from './backends/tokens/credentials.ts';
import { loadSigningSecrets } from './backends/tokens/signing-secrets.ts';
import type { Config } from './config.ts';
import type { Credentials } from './core/ports/credentials.ts';
import type { ModelProvider } from './core/ports/model-provider.ts';
import type { Store } from './core/ports/store.ts';
import { chatSessions } from './dialects/chat-sessions/index.ts';
import { chatWs } from './dialects/chat-ws/index.ts';
import { graph } from './dialects/graph/index.ts';
import { levia } from './dialects/levia/index.ts';
import { native } from './dialects/native/index.ts';
import { userChat } from './dialects/user-chat/index.ts';
import { createEngine, type Engine } from './engine/index.ts';
import type { Dialect } from './http/dialect.ts';
import { createEventStreams, type EventStreams } from './http/event-stream.ts';
import { createRunStreams } from './http/run-streams.ts';
import { createServer } from './http/server.ts';

/** The front doors. A new one is a folder under `dialects/` and its name here. */
export const doors: readonly Dialect[] = [native, levia, chatSessions, chatWs, graph, userChat];

const ANSWER_TIMEOUT_MS = 120_000;
const REFRESH_MODELS_MS = 600_000;
/** How long a start waits for what providers list. */
const FIRST_REFRESH_MS = 1_500;
/** Time for clients to take the last frames of what has ended. */
const LAST_FRAMES_MS = 2_000;

export interface App {
  /** Where it listens, for example `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Drains: refuses new work, lets running answers end within the configured time, closes the store. */
  close(): Promise<void>;
}

interface AppOptions {
  readonly log?: Logger;
  /** Instead of the one that the settings choose. */
  readonly store?: Store;
  readonly dialects?: readonly Dialect[];
  /** Who callers are, given what the settings make of it. */
  readonly credentials?: (own: Credentials) => Credentials;
  /** Told when the store has stopped for good: nothing works from then on. */
  readonly onStoreDeath?: (error: Error) => void;
}

/** Puts the house together and serves. Rejects with a sentence for the operator when settings or machine do not allow it. */
export async function startApp(config: Config, options: AppOptions = {}): Promise<App> {
  const log = options.log ?? createLogger(config.logLevel);
  const models = createModels(config, log);
  const secrets = await loadSigningSecrets({ config });
  const store = options.store ?? (await openStore(config, log, options.onStoreDeath));
  const engine = createEngine({
    store,
    catalogue: models.catalogue,
    agents: [assistantGraph],
    counter: createTokenCounter(),
    ids: randomIds,
    clock: systemClock,
    observer: createLogObserver(log),
    settings: config.limits,
  });
  const closing = new AbortController();
  const stopping = { engine, store, closing, drainMs: config.limits.drainSeconds * 1000 };
  const { dialects = doors, credentials = (own) => own } = options;
  const front = { config, log, engine, secrets, credentials, demo: models.demo, dialects, draining: closing.signal };
  const { server, eventStreams } = await createFront(front);
  try {
    const stopRefreshing = await keepFresh(models.catalogue, closing.signal);
    await engine.recover();
    const url = await listen(server, config);
    return {
      url,
      async close() {
        stopRefreshing();
        await stop({ ...stopping, server, eventStreams });
      },
    };
  } catch (error) {
    await stop({ ...stopping, server, eventStreams, drainMs: 0 });
    throw error;
  }
}

async function openStore({ databaseUrl, dataDir }: Config, log: Logger, onDeath?: (error: Error) => void): Promise<Store> {
  if (databaseUrl === null) return openSqliteStore({ dataDir, onDeath });
  const { openPostgresStore } = await import('./backends/stores/postgres/index.ts');
  return openPostgresStore({ url: databaseUrl, log });
}

function createModels(config: Config, log: Logger) {
  const idleMs = config.limits.idleSeconds * 1000;
  const timeouts = { firstByteMs: idleMs, idleMs, totalMs: config.limits.runSeconds * 1000 };
  const limits = { answerCharacters: config.limits.answerChars };
  const tokenDelayMs = config.demo.tokenDelayMs ?? undefined;
  const providers: Record<string, ModelProvider> = { demo: createDemoProvider({ clock: systemClock, tokenDelayMs }) };
  for (const provider of config.providers)
    providers[provider.name] = createOpenAiCompatibleProvider({ ...provider, timeouts, limits, clock: systemClock });
  const models = Object.fromEntries(config.models.map((model) => [model.name, { ...model, model: model.upstream }]));
  const catalogue = createCatalogue({ settings: { defaultModel: config.defaultModel, models }, providers, log });
  const demo = config.providers.length === 0;
  if (demo)
    log.warn('No model provider is configured: the built-in demo model answers. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.');
  return { catalogue, demo };
}

interface Front {
  readonly config: Config;
  readonly log: Logger;
  readonly engine: Engine;
  readonly secrets: readonly string[];
  readonly credentials: (own: Credentials) => Credentials;
  readonly demo: boolean;
  readonly dialects: readonly Dialect[];
  readonly draining: AbortSignal;
}

async function createFront({ config, log, engine, secrets, credentials, demo, dialects, draining }: Front) {
  const { developmentKey, limits, allowedOrigins } = config;
  const eventStreams = createEventStreams({ clock: systemClock });
  const onFault = (err: unknown) => log.error({ err }, 'a stream cannot be read');
  const server = await createServer({
    origins: { allowedOrigins, development: !config.production },
    bodyLimit: limits.bodyBytes,
    page: { publicUrl: null, exampleKey: developmentKey, demo },
    log,
    dialects,
    deps: {
      engine,
      credentials: credentials(createCredentials({ secrets, developmentKey, clock: systemClock })),
      clock: systemClock,
      eventStreams,
      runStreams: createRunStreams({ engine, maxReadersPerRun: limits.readersPerRun, onFault }),
      settings: { answerTimeoutMs: ANSWER_TIMEOUT_MS, carryTurns: config.levia.carryTurns, chatWs: config.chatWs },
    },
    draining,
  });
  return { server, eventStreams };
}

type Server = Awaited<ReturnType<typeof createServer>>;

async function listen(server: Server, { host, port }: Config): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} on ${host} is taken by another program: stop that, or set PORT to another number.`, { cause: error });
  }
}

/** Asks the providers for their models now, for so long that the names of a provider that answers are known, and then from time to time. */
async function keepFresh(catalogue: RefreshableCatalogue, signal: AbortSignal): Promise<() => void> {
  // Rejects only when aborted; a provider's failure is in the log.
  const refresh = () => catalogue.refresh(signal).catch(() => undefined);
  const enough = new AbortController();
  await Promise.race([refresh(), systemClock.sleep(FIRST_REFRESH_MS, enough.signal).catch(() => undefined)]);
  enough.abort();
  return systemClock.every(REFRESH_MODELS_MS, refresh);
}

interface Stopping {
  readonly server: Server;
  readonly eventStreams: EventStreams;
  readonly engine: Engine;
  readonly store: Store;
  readonly closing: AbortController;
  readonly drainMs: number;
}

async function stop({ server, eventStreams, engine, store, closing, drainMs }: Stopping): Promise<void> {
  closing.abort();
  await engine.drain(drainMs);
  eventStreams.close();
  const cancelCut = systemClock.after(LAST_FRAMES_MS, () => server.server.closeAllConnections());
  await server.close();
  cancelCut();
  await store.close();
}

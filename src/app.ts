import type { Logger } from 'pino';
import { type OpenedAccess, openAccess } from './app/access.ts';
import { checkModules, openAgents, saveAgents } from './app/agents.ts';
import { openControl } from './app/control.ts';
import { openFiles } from './app/files.ts';
import { openLimits } from './app/limits.ts';
import { createModels } from './app/models.ts';
import { openObservers } from './app/observers.ts';
import { openStoreWhenFree } from './app/store.ts';
import { openTools } from './app/tools.ts';
import { systemClock } from './backends/clock/system-clock.ts';
import { randomIds } from './backends/ids/random-ids.ts';
import { createLogger } from './backends/logger/create-logger.ts';
import type { ProcessMetrics } from './backends/metrics/create-metrics.ts';
import type { RefreshableCatalogue } from './backends/models/catalogue.ts';
import { loadTemplates } from './backends/templates/load-templates.ts';
import { createTokenCounter } from './backends/tokenizer/token-counter.ts';
import type { Config } from './config.ts';
import type { Credentials } from './core/ports/credentials.ts';
import type { LoadGauge } from './core/ports/load.ts';
import type { ModelProvider } from './core/ports/model-provider.ts';
import type { Store } from './core/ports/store.ts';
import type { ToolSource } from './core/ports/tool.ts';
import { chatSessions } from './dialects/chat-sessions/index.ts';
import { chatWs } from './dialects/chat-ws/index.ts';
import { graph } from './dialects/graph/index.ts';
import { levia } from './dialects/levia/index.ts';
import { native } from './dialects/native/index.ts';
import { userChat } from './dialects/user-chat/index.ts';
import { createEngine, createPassageSearch, type Engine } from './engine/index.ts';
import type { Finding } from './http/control-wire.ts';
import type { Dialect } from './http/dialect.ts';
import { createEventStreams, type EventStreams } from './http/event-stream.ts';
import { createHostPolicy } from './http/host-policy.ts';
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
  /** Its applications and keys. */
  readonly access: Engine['access'];
  /** Drains: refuses new work, lets running answers end within the configured time, closes the store. */
  close(): Promise<void>;
}

interface AppOptions {
  readonly log?: Logger;
  /** Instead of the one that the settings choose. */
  readonly store?: Store;
  readonly dialects?: readonly Dialect[];
  /** Tools besides those of the settings. */
  readonly sources?: readonly ToolSource[];
  /** Instead of the event loop's. */
  readonly load?: LoadGauge;
  /** Told when the store has stopped for good: nothing works from then on. */
  readonly onStoreDeath?: (error: Error) => void;
  /** What the command can ask the server to find out about itself. */
  readonly examine?: (running: Running, signal: AbortSignal) => Promise<readonly Finding[]>;
}

/** A server at work, as an examination sees it. */
export interface Running {
  readonly engine: Engine;
  readonly providers: Readonly<Record<string, ModelProvider>>;
}

/** Puts the house together and serves. Rejects with a sentence for the operator when settings or machine do not allow it. */
export async function startApp(config: Config, options: AppOptions = {}): Promise<App> {
  const log = options.log ?? createLogger(config.logLevel);
  const models = await createModels(config, log);
  const store = options.store ?? (await openStoreWhenFree(config, log, options.onStoreDeath));
  const { dialects = doors, examine = async () => [] } = options;
  const own = await openAccess(config, { store, log }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const { engine, metrics, runtimes, ...opened } = await openEngine(config, options, { log, store, catalogue: models.catalogue, own });
  const closing = new AbortController();
  const drainMs = config.limits.drainSeconds * 1000;
  const stopping = { engine, store, ...opened, credentials: own.credentials, closing, drainMs };
  const watched = { metrics, load: opened.limits.load };
  const front = { config, log, engine, ...watched, credentials: own.credentials, demo: models.demo, dialects, draining: closing.signal };
  const { server, eventStreams } = await createFront(front);
  try {
    const stopRefreshing = await keepFresh(models.catalogue, closing.signal);
    await checkModules(config, runtimes);
    await saveAgents(config, store);
    await engine.recover();
    const url = await listen(server, config);
    const closeControl = await openControl({
      config,
      log,
      engine,
      secrets: own.signing,
      examine: (signal) => examine({ engine, providers: models.providers }, signal),
    });
    return {
      url,
      access: engine.access,
      async close() {
        stopRefreshing();
        await stop({ ...stopping, server, eventStreams, closeControl });
      },
    };
  } catch (error) {
    await stop({ ...stopping, server, eventStreams, drainMs: 0 });
    throw error;
  }
}

interface EngineParts {
  readonly log: Logger;
  readonly store: Store;
  readonly catalogue: RefreshableCatalogue;
  readonly own: OpenedAccess;
}

/** The engine, with what has to be closed behind it. */
async function openEngine(config: Config, options: AppOptions, { log, store, catalogue, own }: EngineParts) {
  const { observer, metrics } = openObservers(log, { catalogue, store });
  const limits = await openLimits(config, log, options.load);
  const files = await openFiles(config, log);
  const agents = openAgents();
  const tools = await openTools(config, { log, search: createPassageSearch(store) });
  const engine = createEngine({
    store,
    ...files,
    catalogue,
    ...agents,
    sources: [...tools.sources, ...(options.sources ?? [])],
    counter: createTokenCounter(),
    templates: await loadTemplates(),
    ids: randomIds,
    clock: systemClock,
    observer,
    ...limits,
    access: administered(own, options.dialects ?? doors),
    settings: { ...config.limits, ...config.agents, defaultAgent: config.agents.default },
  });
  return { engine, metrics, runtimes: agents.runtimes, limits, files, tools };
}

/** What the engine needs to make keys and tokens. */
function administered({ keys, tokens, box, credentials }: OpenedAccess, dialects: readonly Dialect[]) {
  return { keys, tokens, box, onChange: credentials.refresh, dialects: dialects.map(({ name }) => name) };
}

interface Front {
  readonly config: Config;
  readonly log: Logger;
  readonly engine: Engine;
  readonly metrics: ProcessMetrics;
  readonly credentials: Credentials;
  readonly demo: boolean;
  readonly dialects: readonly Dialect[];
  readonly draining: AbortSignal;
  readonly load: LoadGauge;
}

async function createFront({ config, log, engine, metrics, credentials, demo, dialects, draining, load }: Front) {
  const { developmentKey, limits, allowedOrigins } = config;
  const eventStreams = createEventStreams({ clock: systemClock, limits: engine.limits });
  const onFault = (err: unknown) => log.error({ err }, 'a stream cannot be read');
  const server = await createServer({
    origins: { allowedOrigins, development: !config.production },
    ...(developmentKey !== null && { hosts: createHostPolicy(allowedOrigins) }),
    bodyLimit: limits.bodyBytes,
    page: { publicUrl: null, exampleKey: developmentKey, demo },
    metrics: { metrics, public: config.metrics.public },
    log,
    dialects,
    credentials,
    deps: {
      engine,
      clock: systemClock,
      eventStreams,
      runStreams: createRunStreams({ engine, maxReadersPerRun: limits.readersPerRun, onFault }),
      settings: { answerTimeoutMs: ANSWER_TIMEOUT_MS, carryTurns: config.levia.carryTurns, chatWs: config.chatWs },
    },
    draining,
    load,
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
  readonly limits: { close(): Promise<void> };
  readonly files: { close(): Promise<void> };
  readonly tools: { close(): Promise<void> };
  readonly credentials: Credentials;
  readonly closing: AbortController;
  readonly drainMs: number;
  /** Absent when the start got no further. */
  readonly closeControl?: () => Promise<void>;
}

async function stop(stopping: Stopping): Promise<void> {
  const { server, eventStreams, engine, store, files, tools, limits, credentials, closing, drainMs, closeControl } = stopping;
  closing.abort();
  await engine.drain(drainMs);
  eventStreams.close();
  const cancelCut = systemClock.after(LAST_FRAMES_MS, () => {
    eventStreams.cut();
    server.server.closeAllConnections();
  });
  await server.close();
  cancelCut();
  // As long as the store is open, a command could not open it itself.
  await closeControl?.();
  await credentials.close();
  await limits.close();
  await tools.close();
  await files.close();
  await store.close();
}

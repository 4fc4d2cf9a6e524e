import type { Dialect } from '../../src/http/dialect.ts';

/** One route of one front door, as its plugin registered it. */
export interface Route {
  readonly dialect: string;
  readonly method: string;
  /** With the prefix, parameters as `:name`. */
  readonly path: string;
  /** `METHOD /path` without the prefix: the same for every prefix of a dialect. */
  readonly key: string;
  /** What its bodies are checked against, where it says so. */
  readonly bodySchema?: unknown;
}

/** The same front doors, which write the routes they register into `routes`. */
export function recordRoutes(doors: readonly Dialect[], routes: Route[]): Dialect[] {
  return doors.map((door) => ({
    ...door,
    register(scope, deps) {
      scope.addHook('onRoute', ({ method, url, routePath, schema }) => {
        for (const name of [method].flat())
          addRoute(routes, { dialect: door.name, method: name, url, routePath, bodySchema: schema?.body });
      });
      return door.register(scope, deps);
    },
  }));
}

type Registered = Omit<Route, 'path' | 'key'> & { readonly url: string; readonly routePath: string };

function addRoute(routes: Route[], { dialect, method, url, routePath, bodySchema }: Registered): void {
  const path = url.replace(/(?<=.)\/$/, '');
  // A route at the prefix itself is registered twice, with and without a slash.
  if (['HEAD', 'OPTIONS'].includes(method) || routes.some((known) => known.method === method && known.path === path)) return;
  routes.push({ dialect, method, path, key: `${dialect} ${method} ${routePath || '/'}`, bodySchema });
}

/** Whether a route takes a server's key only, and no user's token. */
export function needsServerKey({ key }: Route): boolean {
  return /^native (\w+ \/(keys|tokens)|(POST|PATCH|DELETE) \/agents|GET \/agents\/:agent_id\/versions)/.test(key);
}

/**
 * Under which name of `Known` a route's parameter is: native names prompts by their UUIDs, chat-sessions by their numbers; calls are of a run of
 * their own.
 */
function knownName({ dialect, key }: Route, name: string): string {
  if (name === 'run_id' && key.includes('/approvals/')) return 'asked_run_id';
  return dialect === 'native' && name === 'prompt_id' ? 'prompt_uuid' : name;
}

/** Parameters that name nothing by themselves: a prompt's first version is there as long as the prompt is, a run's call as long as the run is. */
const ordinary: Readonly<Record<string, string>> = { version: '1', call_id: 'retrieve_weather' };

/** The names of a route's parameters that lead to records. */
export function slotsOf(route: Route): string[] {
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  return names.filter((name) => !(name in ordinary)).map((name) => knownName(route, name));
}

/** The route's path with these values, percent-encoded, in its parameters. */
export function fill(route: Route, values: Readonly<Record<string, string>>): string {
  return route.path.replace(/:(\w+)/g, (_match, name: string) =>
    encodeURIComponent(values[knownName(route, name)] ?? ordinary[name] ?? `no value for ${name}`),
  );
}

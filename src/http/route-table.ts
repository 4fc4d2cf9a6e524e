import type { FastifyInstance } from 'fastify';

type AnswerFailure = FastifyInstance['errorHandler'];

/** What is at a path. */
interface Place {
  /** In alphabetical order, at least one. */
  readonly methods: readonly string[];
  /** Words failures as whoever registered the routes does. */
  readonly answerFailure: AnswerFailure;
}

/** Knows which methods an address answers, for 405 and its `Allow`. */
export interface RouteTable {
  /** From now on these words are no values of the parameters in the routes' prefix. */
  reserve(prefix: string, words: readonly string[]): void;
  /** Null when nothing is at the path. */
  at(path: string): Place | null;
}

interface Entry {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
  readonly owner: FastifyInstance;
}

/** Collects the routes that are registered after it. */
export function createRouteTable(app: FastifyInstance): RouteTable {
  const entries = new Map<string, Entry>();
  const reserved = new Map<string, readonly string[]>();
  app.addHook('onRoute', function collect(this: FastifyInstance, { url, method }) {
    if (url === '*') return;
    const { prefix } = this;
    const entry = entries.get(url) ?? {
      pattern: patternOf(url, { prefix, words: reserved.get(prefix) ?? [] }),
      methods: new Set(),
      owner: this,
    };
    entries.set(url, entry);
    for (const name of [method].flat()) entry.methods.add(name);
  });
  return {
    reserve: (prefix, words) => void reserved.set(prefix, words),
    at(path) {
      const found = [...entries.values()].filter(({ pattern }) => pattern.test(decoded(path)));
      const [first] = found;
      if (!first) return null;
      const methods = new Set(found.flatMap((entry) => [...entry.methods]));
      return { methods: [...methods].sort(), answerFailure: first.owner.errorHandler };
    },
  };
}

function patternOf(url: string, { prefix, words }: { prefix: string; words: readonly string[] }): RegExp {
  const not = words.length === 0 ? '' : `(?!(?:${words.join('|')})(?:/|$))`;
  const head = url.startsWith(prefix) ? prefix : '';
  return new RegExp(`^${sourceOf(head, not)}${sourceOf(url.slice(head.length).replace(/\/$/, ''), '')}/?$`);
}

function sourceOf(url: string, not: string): string {
  return url
    .replace(/[.*+?^${}|[\]\\]/g, '\\$&')
    .replace(/:\w+(?:\([^/]*\))?/g, `${not}[^/]+`)
    .replaceAll('\\*', '.*');
}

/** As the router sees it: `%2F` stays. */
function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}

import type { RawRequest } from './byte-exchange.ts';
import type { Route } from './routes.ts';

/** What a credential is: an API key or the development key, or a token. */
export type Kind = 'key' | 'token';

/** Somewhere in a request where a credential may stand. */
export interface Place {
  readonly name: string;
  /** The kinds that count there. */
  readonly kinds: readonly Kind[];
  /** Whether requests to this route are read there. */
  isReadBy(route: Route): boolean;
  put(request: RawRequest, credential: string): RawRequest;
}

const withHeader = (request: RawRequest, header: readonly [string, string]): RawRequest => ({
  ...request,
  headers: [header, ...(request.headers ?? [])],
});

/** Every place of an HTTP request that counts somewhere; those of a chat socket are in socket-scopes.test.ts. */
export const places: readonly Place[] = [
  {
    name: 'Authorization',
    kinds: ['key', 'token'],
    isReadBy: () => true,
    put: (request, credential) => withHeader(request, ['authorization', `Bearer ${credential}`]),
  },
  {
    name: 'X-API-Key',
    kinds: ['key'],
    isReadBy: () => true,
    put: (request, credential) => withHeader(request, ['x-api-key', credential]),
  },
  {
    name: '?api_key=',
    kinds: ['key'],
    // For EventSource, which cannot set headers.
    isReadBy: ({ dialect, method }) => dialect === 'levia' && method === 'GET',
    put: (request, credential) => ({
      ...request,
      path: `${request.path}${request.path.includes('?') ? '&' : '?'}api_key=${encodeURIComponent(credential)}`,
    }),
  },
];

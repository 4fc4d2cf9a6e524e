import type { FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';
import type { Credentials } from '../core/ports/credentials.ts';
import type { Principal } from '../core/principal.ts';

/** What of a request carries credentials: an HTTP request, or one to open a WebSocket. */
export interface CredentialCarrier {
  readonly raw: Pick<FastifyRequest['raw'], 'rawHeaders'>;
  readonly query: unknown;
  /** Missing for a WebSocket, whose frames say what they want. */
  readonly method?: string;
}

export interface AuthenticateOptions {
  /** Query parameters in which this route takes an API key or a token, for clients that cannot set headers. */
  readonly queryNames?: Readonly<Record<string, 'key' | 'token'>>;
  /** Rejects tokens whose time is over with `auth_expired`, for protocols that tell. */
  readonly tellsExpired?: boolean;
}

const refusedCredentials = {
  auth_missing: 'Send an API key or a token, as "Authorization: Bearer <key>" or "X-API-Key: <key>".',
  auth_conflict: 'The request carries two different credentials; send one.',
  auth_expired: 'The token has expired; get a new one.',
  auth_invalid: 'The API key or token is not valid.',
  auth_other_user: 'The token belongs to another user.',
} as const;

/** How a credential is refused that does not count here. */
export function credentialRefused(code: keyof typeof refusedCredentials): AppError {
  return new AppError(code, refusedCredentials[code]);
}

/** Who sent a request. Rejects with `auth_missing`, `auth_invalid`, or `auth_conflict` when two credentials differ. */
export async function authenticate(
  credentials: Credentials,
  request: CredentialCarrier,
  options: AuthenticateOptions = {},
): Promise<Principal> {
  const found = credentialsOf(request, options.queryNames);
  const credential = found[0]?.credential;
  if (credential === undefined) throw credentialRefused('auth_missing');
  if (found.some((other) => other.credential !== credential)) throw credentialRefused('auth_conflict');
  const principal = await credentials.verify(credential);
  if (principal && found.some(({ place }) => place === 'bearer' || place === principal.by)) return principal;
  if (options.tellsExpired && (await credentials.hasExpired(credential))) {
    throw credentialRefused('auth_expired');
  }
  throw credentialRefused('auth_invalid');
}

/** The user that the `X-User-Id` header names, or null. Bytes that are UTF-8 are read as such, others as Latin-1. Throws `auth_conflict`. */
export function namedUserOf(request: FastifyRequest): string | null {
  // What Node joins to one text might be somebody's name.
  const values = headerValues(request.raw, 'x-user-id');
  const [value] = values;
  if (value === undefined) return null;
  if (values.some((other) => other !== value))
    throw new AppError('auth_conflict', 'The request names two different users; send one X-User-Id.');
  const bytes = Buffer.from(value, 'latin1');
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}

type Place = 'bearer' | 'key' | 'token';

interface Found {
  readonly credential: string;
  readonly place: Place;
}

/** Every credential that a request carries, with the place where it stands. */
function credentialsOf(request: CredentialCarrier, queryNames: AuthenticateOptions['queryNames']): readonly Found[] {
  const found: Found[] = [];
  for (const value of headerValues(request.raw, 'authorization')) found.push({ credential: bearerOf(value), place: 'bearer' });
  for (const value of headerValues(request.raw, 'x-api-key')) found.push({ credential: value.trim(), place: 'key' });
  if (queryNames !== undefined) {
    const query = request.query as Record<string, unknown>;
    for (const [name, place] of Object.entries(queryNames)) {
      for (const value of [query[name]].flat()) if (value !== undefined) found.push({ credential: String(value), place });
    }
  }
  return found.filter(({ credential }) => credential !== '');
}

/** Every value of a header, as it came: Node keeps only the first of several Authorization headers, and joins others. */
function headerValues({ rawHeaders }: CredentialCarrier['raw'], name: string): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const field = rawHeaders[at];
    if (field?.length === name.length && field.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? '');
  }
  return values;
}

function bearerOf(header: string): string {
  const match = /^bearer[ \t]+(\S+)[ \t]*$/i.exec(header);
  if (!match?.[1]) throw new AppError('auth_invalid', 'The Authorization header must be "Bearer <key>".');
  return match[1];
}

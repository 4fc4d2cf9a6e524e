import { storeUnavailable } from '../../../core/errors.ts';

/** SQLSTATEs of transactions that PostgreSQL ended only because of others: serialization failure, deadlock. */
const PASSING: ReadonlySet<string> = new Set(['40001', '40P01']);
/** The server goes down, has crashed, or comes up (class 57P), or the connection is broken (class 08). */
const ENDING = /^(57P|08)/;
/** A full disk or memory, a timeout, a server that takes no writes. */
const BUSY = /^(53...|57014|55P03|25006)$/;
/** EPIPE, of the same length, comes from the system: no class of SQLSTATEs begins with E. */
const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/;

/** Whom a connection string means; for messages, so without the password. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** The SQLSTATE or system code of an error, null when it has none. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Whether the same transaction may succeed when it is tried again. */
export function isPassing(error: unknown): boolean {
  return PASSING.has(codeOf(error) ?? '');
}

/** Whether an error says that the connection is gone; an answer of the server itself always has a SQLSTATE. */
export function isEnding(error: unknown): boolean {
  const code = codeOf(error);
  return code === null || !SQLSTATE.test(code) || ENDING.test(code);
}

/** The connection that a call was on, or that it needed, is not there; whether the server did the call's work is unknown. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  readonly code: string | null;

  constructor(cause: unknown) {
    super('The connection to PostgreSQL is lost.', { cause });
    this.code = codeOf(cause);
  }
}

/** What a caller gets: that the store cannot work now, where that is all there is to say. */
export function callersError(error: unknown): unknown {
  return error instanceof ConnectionLost || isPassing(error) || BUSY.test(codeOf(error) ?? '') ? storeUnavailable(error) : error;
}

/** What the driver says, without a code, when a server wants a password and there is none. */
const NO_PASSWORD = /client password must be a/;

/** Where the store was looked for; `schemaOwner` is who owns the schema there, as far as that is known. */
interface Place extends Address {
  readonly schemaOwner?: string | null;
}

/** A sentence for the operator about why the store cannot be opened; never the password. */
export function openingFailure(failure: unknown, address: Place): Error {
  const error = failure instanceof ConnectionLost ? failure.cause : failure;
  const code = codeOf(error) ?? '';
  const where = address.host.startsWith('/') ? address.host : `${address.host}:${address.port}`;
  if (code === '' && NO_PASSWORD.test(messageOf(error))) {
    return new Error(`PostgreSQL at ${where} wants a password for the user "${address.user}": put it into DATABASE_URL.`);
  }
  return new Error(sentenceFor(code, { ...address, where }) ?? `PostgreSQL at ${where} cannot be used: ${messageOf(error)}`);
}

function sentenceFor(code: string, place: Place & { readonly where: string }): string | null {
  const { where, user, database } = place;
  switch (code) {
    case '28P01':
    case '28000':
      return `PostgreSQL at ${where} does not let the user "${user}" in: check the user and the password in DATABASE_URL.`;
    case '3D000':
      return `PostgreSQL at ${where} has no database "${database}": create it, or name another one in DATABASE_URL.`;
    case '42501':
      return noRight(place);
    case '53300':
      return `PostgreSQL at ${where} has no connection left: raise max_connections, or stop another program.`;
    case '25006':
      return `PostgreSQL at ${where} takes no writes: name the server that does in DATABASE_URL.`;
    case '57P03':
      return `PostgreSQL at ${where} is starting up or shutting down: try again in a moment.`;
    default:
      return code === '' || SQLSTATE.test(code) ? null : `PostgreSQL at ${where} cannot be reached (${code}): check DATABASE_URL.`;
  }
}

function noRight({ user, database, schemaOwner = null }: Place): string {
  if (schemaOwner === null)
    return `The user "${user}" may not create what the server needs in the database "${database}": grant CREATE on the database.`;
  if (schemaOwner === user)
    return `Something in the schema polylogue of the database "${database}" belongs to another user than "${user}": make "${user}" its owner.`;
  return `The schema polylogue in the database "${database}" belongs to "${schemaOwner}", and the user "${user}" may not use all of it: \
connect as "${schemaOwner}", or grant that role to "${user}".`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

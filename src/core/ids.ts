declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The tenant that owns users, keys and data. */
export type ApplicationId = Branded<'ApplicationId'>;
/** What a caller sees of a thread: a UUID, unique per (application, user). */
export type ThreadId = Branded<'ThreadId'>;
/** A thread's primary key inside the store; never leaves the server. */
export type ThreadKey = Branded<'ThreadKey'>;
export type MessageId = Branded<'MessageId'>;
export type RunId = Branded<'RunId'>;
/** A file in a thread, as callers see it. */
export type AttachmentId = Branded<'AttachmentId'>;
/** The bytes of a file and the text in them; never leaves the server, and is never used for other bytes. */
export type ContentId = Branded<'ContentId'>;
/** An API key's name; the key itself is a secret that nobody stores. */
export type KeyId = Branded<'KeyId'>;
/** A prompt's UUID; protocols whose ids are integers name it by its number. */
export type PromptId = Branded<'PromptId'>;
/** An agent's UUID; its name is what people use. */
export type AgentId = Branded<'AgentId'>;
/** One running server process; owner of the leases on its runs. */
export type ProcessId = Branded<'ProcessId'>;

/** The application that the server's own secrets and the development key speak for. */
export const DEFAULT_APPLICATION = 'default' as ApplicationId;

/** The user an application acts for when a key names nobody. */
export const SERVICE_USER = 'service';

/** The same in protocols where users may stay unknown. */
export const ANONYMOUS_USER = 'anonymous';

/** Names under which an application itself acts, with keys only: no token and no key of one user speaks for them. */
export const RESERVED_USERS: readonly string[] = [SERVICE_USER, ANONYMOUS_USER];

/** Whether a user's name is one under which the application itself acts. */
export function isReservedUser(userId: string): boolean {
  return RESERVED_USERS.includes(userId);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A UUID in its canonical lower-case form, or null when the text is none (RFC 9562 section 4). */
export function parseUuid<Id extends string>(text: unknown): Id | null {
  return typeof text === 'string' && UUID.test(text) ? (text.toLowerCase() as Id) : null;
}

/** What can be wrong with a request, independent of the dialect. */
export type Mistake = 'syntax' | 'not an object' | 'too deep' | 'too large' | 'unicode' | 'content type' | 'fields' | 'idempotency key';

const usual = {
  syntax: 400,
  'not an object': 400,
  'too deep': 400,
  'too large': 413,
  unicode: 422,
  'content type': 415,
  fields: 422,
  'idempotency key': 400,
} as const;

const statuses: Readonly<Record<string, Readonly<Record<Mistake, number>>>> = {
  native: usual,
  levia: { ...usual, unicode: 400, fields: 400 },
  'chat-sessions': { ...usual, syntax: 422, 'not an object': 422, 'too deep': 422 },
  graph: { ...usual, syntax: 422, 'not an object': 422, 'too deep': 422 },
  'user-chat': { ...usual, syntax: 422, 'not an object': 422, 'too deep': 422 },
};

/** The status that a dialect answers a mistake with. A new dialect has its line here. */
export function statusOf(dialect: string, mistake: Mistake): number {
  const known = statuses[dialect];
  if (!known) throw new Error(`Give test/hostile/expected-status.ts a line for ${dialect}`);
  return known[mistake];
}

/** The status of a plain request to where WebSockets are, whoever sends it. */
const WITHOUT_UPGRADE = 426;

/** How a dialect refuses credentials, or none, that others answer with `usual`: status and `WWW-Authenticate`. */
export function credentialRefusal(
  dialect: string,
  { usual: status, sent }: { readonly usual: number; readonly sent: boolean },
): { readonly status: number; readonly challenge: string | null } {
  if (dialect === 'chat-ws') return { status: WITHOUT_UPGRADE, challenge: null };
  if (status !== 401) return { status, challenge: null };
  if (dialect !== 'graph') return { status: 401, challenge: 'Bearer' };
  return sent ? { status: 403, challenge: null } : { status: 401, challenge: 'ApiKey' };
}

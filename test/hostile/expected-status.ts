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
};

/** The status that a dialect answers a mistake with. A new dialect has its line here. */
export function statusOf(dialect: string, mistake: Mistake): number {
  const known = statuses[dialect];
  if (!known) throw new Error(`Give test/hostile/expected-status.ts a line for ${dialect}`);
  return known[mistake];
}

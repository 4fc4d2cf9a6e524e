import { type JsonSchema, list, object, text } from './schema.ts';

/** Problem details as this server sends them (RFC 9457). */
export const problemSchema: JsonSchema = object(
  {
    type: { type: 'string', const: 'about:blank' },
    title: text,
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'For people: says what to do.' },
    code: { type: 'string', description: 'For programs: stable.' },
    request_id: text,
  },
  { errors: list(object({ path: list({ type: ['string', 'integer'] }), message: text, keyword: text })) },
);

import type { Parameter } from '../../http/docs/operation.ts';
import type { JsonSchema } from '../../http/docs/schema.ts';

/** An id in this protocol. */
export const number: JsonSchema = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

export const actingUser: Parameter = {
  name: 'X-User-Id',
  in: 'header',
  description: 'The user that a key with the scope act_as acts for; without it the application itself. Of no meaning with a token.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

/** A parameter of a query. */
export const query = (name: string, description: string, schema: JsonSchema): Parameter => ({ name, in: 'query', description, schema });

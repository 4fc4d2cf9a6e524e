import { type Static, Type } from '../../core/schema.ts';
import type { OwnAgent } from '../../engine/index.ts';
import { invalid } from './wire.ts';

const MAX_TEXT = 100_000;
const DEFAULT_STEPS = 25;
/** What is asked for by name must not be taken for an id. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const strict = { additionalProperties: false };

const toolName = Type.String({ minLength: 1, maxLength: 100, pattern: '^[A-Za-z0-9_-]+(?:/\\*)?$' });
const rule = Type.Object(
  {
    tool: Type.String({ minLength: 1, maxLength: 100, pattern: '^[A-Za-z0-9_-]*(?:/?\\*)?$' }),
    rule: Type.Enum(['allow', 'ask', 'deny']),
  },
  strict,
);
const textOrNull = (maxLength: number) => Type.Unsafe<string | null>({ type: ['string', 'null'], minLength: 1, maxLength });

const name = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$' });
const settings = {
  description: Type.Optional(Type.String({ maxLength: 500 })),
  instructions: Type.Optional(Type.String({ maxLength: MAX_TEXT })),
  greeting: Type.Optional(textOrNull(2_000)),
  model: Type.Optional(textOrNull(255)),
  tools: Type.Optional(Type.Array(toolName, { maxItems: 200 })),
  rules: Type.Optional(Type.Array(rule, { maxItems: 200 })),
  step_limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
};

/** Body of POST `/agents`. */
export const CreateAgentBody = Type.Object({ name, ...settings }, strict);
export type CreateAgentBody = Static<typeof CreateAgentBody>;

/** Body of PATCH `/agents/{id}`: what is left out stays; `version` is the one that is changed. */
export const ChangeAgentBody = Type.Object(
  { name: Type.Optional(name), ...settings, version: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })) },
  strict,
);
export type ChangeAgentBody = Static<typeof ChangeAgentBody>;

/** A new agent; what the body leaves out is empty, or as the server has it. */
export function readNewAgent({ step_limit = DEFAULT_STEPS, ...body }: CreateAgentBody): OwnAgent {
  checkName(body.name);
  return { description: '', instructions: '', greeting: null, model: null, tools: [], rules: [], ...body, stepLimit: step_limit };
}

/** What the body changes. */
export function readAgentChanges({ step_limit, version: _version, ...body }: ChangeAgentBody): Partial<OwnAgent> {
  if (body.name !== undefined) checkName(body.name);
  return { ...body, ...(step_limit !== undefined && { stepLimit: step_limit }) };
}

function checkName(name: string): void {
  if (UUID.test(name)) throw invalid('name', 'must not look like an id');
}

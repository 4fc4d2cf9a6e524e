import { Type } from '../core/schema.ts';

const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });
const seconds = (
  bounds: { readonly minimum: number; readonly maximum: number },
  about: { readonly description: string; readonly default: number },
) => Type.Optional(Type.Integer({ ...bounds, ...about }));

const rule = Type.Object(
  {
    tool: text(100, "A tool's name; with * at its end all whose names begin so."),
    rule: Type.Enum(['allow', 'ask', 'deny'], {
      description: 'Whether calls are made at once, when somebody has approved them, or never.',
    }),
  },
  { additionalProperties: false, description: 'How calls of some tools are treated.' },
);

const agent = Type.Object(
  {
    description: Type.Optional(text(500, 'One sentence for people who choose.')),
    instructions: Type.Optional(text(100_000, 'What its model is told before every conversation.')),
    greeting: Type.Optional(text(2_000, "What an empty conversation shows; without it the server's own greeting.")),
    model: Type.Optional(text(255, "The public name of its model; without it the thread's or the default one.")),
    runtime: Type.Optional(
      Type.Enum(['loop', 'supervisor', 'langgraph', 'openai-agents'], {
        description:
          'What executes it: the built-in loop of model and tools (when left out), the built-in supervisor, or the library that a module is written for.',
      }),
    ),
    module: Type.Optional(text(4_096, 'The file that exports the graph or the agent, relative to this file; only for a library.')),
    tools: Type.Optional(
      Type.Array(text(100, "A tool's name, or <server>/* for all tools of an MCP server."), {
        maxItems: 200,
        description: 'The tools that it may call; without any it calls none.',
      }),
    ),
    rules: Type.Optional(
      Type.Array(rule, {
        maxItems: 200,
        description: 'The first rule that fits a tool counts. Without one, tools that only read are allowed and all others ask.',
      }),
    ),
    stepLimit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 200, description: 'Calls of the model that one answer may make; 25 unless set.' }),
    ),
  },
  { additionalProperties: false, description: 'What answers in a way of its own.' },
);

/** The section `agents`. */
export const agentsSchema = Type.Object(
  {
    definitions: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$' }), agent, {
        additionalProperties: false,
        description: 'Agents by name, for all applications.',
      }),
    ),
    default: Type.Optional(
      text(100, 'The agent that answers where neither a message nor its thread names one; without it the model alone does.'),
    ),
    approvalSeconds: seconds(
      { minimum: 1, maximum: 31_536_000 },
      { description: 'How long people have to decide about a call; then it counts as denied.', default: 86_400 },
    ),
    callSeconds: seconds(
      { minimum: 1, maximum: 86_400 },
      { description: 'How long one call of a tool may take without telling that its work goes on.', default: 60 },
    ),
  },
  { additionalProperties: false, description: 'What answers besides the models themselves.' },
);

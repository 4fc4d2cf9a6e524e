import type { DialectDocument, Operation } from '../../http/docs/operation.ts';
import { problemSchema } from '../../http/docs/problem-schema.ts';
import { count, flag, list, object, text } from '../../http/docs/schema.ts';
import { problemShape } from '../../http/problem.ts';
import { accessOperations } from './access-operations.ts';
import { agentOperations } from './agent-operations.ts';
import { fileOperations } from './file-operations.ts';
import { actingUser } from './operation-parts.ts';
import { promptOperations } from './prompt-operations.ts';
import { runOperations } from './run-operations.ts';
import { threadOperations } from './thread-operations.ts';

const listModels: Operation = {
  id: 'listModels',
  summary: 'The models that a thread or run may name',
  parameters: [actingUser],
  answers: [
    {
      status: 200,
      description: 'The catalogue, and which model answers unless another is named.',
      json: {
        schema: object({
          data: list(object({ name: text, provider: text, window: count, max_output: count, default: flag })),
          default: text,
        }),
        example: { data: [{ name: 'gpt-4', provider: 'openai', window: 8_192, max_output: 4_096, default: true }], default: 'gpt-4' },
      },
    },
  ],
};

/** What native tells about itself. */
export const nativeDocument: DialectDocument = {
  operations: {
    ...threadOperations,
    ...runOperations,
    ...fileOperations,
    ...accessOperations,
    ...promptOperations,
    ...agentOperations,
    'GET /models': listModels,
  },
  errors: problemShape,
  errorSchema: problemSchema,
};

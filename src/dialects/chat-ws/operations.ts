import type { DialectDocument } from '../../http/docs/operation.ts';
import { problemSchema } from '../../http/docs/problem-schema.ts';
import { object, only, text } from '../../http/docs/schema.ts';
import { problemShape } from '../../http/problem.ts';
import { chatSocket } from './frame-documents.ts';

/** What chat-ws tells about itself. */
export const chatWsDocument: DialectDocument = {
  operations: {
    'GET /': {
      id: 'connect',
      summary: 'Only as a WebSocket: see /asyncapi.json',
      public: true,
      answers: [
        {
          status: 426,
          description: 'The request did not ask for a WebSocket.',
          json: {
            schema: object({ type: only('error'), message: text, code: only('upgrade_required') }),
            example: { type: 'error', message: 'Connect with a WebSocket', code: 'upgrade_required' },
          },
        },
      ],
    },
  },
  errors: problemShape,
  errorSchema: problemSchema,
  socket: chatSocket,
};

import { credentialRefused } from '../authenticate.ts';
import { operatorNeeded } from '../metrics.ts';
import { toAppError } from '../request-error.ts';
import type { Answer, Operation, Refused } from './operation.ts';
import { anyObject, object, oneOf, only, text } from './schema.ts';

const page = (description: string): Answer => ({
  status: 200,
  description,
  text: { contentType: 'text/html; charset=utf-8', example: '<!doctype html>...' },
});

const withKey = { headers: { authorization: 'Bearer {key}' } };
const guarded: readonly Refused[] = [
  { given: 'guardedMetrics', request: { headers: { authorization: null } }, fail: () => credentialRefused('auth_missing') },
  {
    given: 'guardedMetrics',
    request: { headers: { authorization: 'Bearer plg_no_such_key' } },
    fail: () => credentialRefused('auth_invalid'),
  },
  {
    given: 'guardedMetrics',
    request: { headers: { ...withKey.headers, 'x-api-key': 'plg_another_key' } },
    fail: () => credentialRefused('auth_conflict'),
  },
  { given: 'guardedMetrics', request: withKey, fail: operatorNeeded },
];

const unavailable: Answer = {
  status: 503,
  description: 'It takes no new work now.',
  headers: ['Retry-After'],
  json: {
    schema: object({ status: only('unavailable'), reason: text }),
    example: { status: 'unavailable', reason: 'stopping' },
  },
};

function description(id: string, summary: string, example: object): Operation {
  const whole: Answer = { status: 200, description: 'The document.', headers: ['ETag'], json: { schema: anyObject, example } };
  const known: Answer = { status: 304, description: '`If-None-Match` names this version of it.', headers: ['ETag'] };
  return { id, summary, public: true, answers: [whole, known] };
}

/** What the server answers beside its dialects. */
export const serverOperations: Readonly<Record<string, Operation>> = {
  'GET /': { id: 'startPage', summary: 'What this server is and how to begin', public: true, answers: [page('A page without scripts.')] },
  'GET /health': {
    id: 'health',
    summary: 'Whether the process lives',
    public: true,
    answers: [{ status: 200, description: 'It does.', json: { schema: object({ status: only('ok') }), example: { status: 'ok' } } }],
  },
  'GET /ready': {
    id: 'ready',
    summary: 'Whether the server takes work',
    public: true,
    answers: [
      { status: 200, description: 'It does.', json: { schema: object({ status: only('ready') }), example: { status: 'ready' } } },
      unavailable,
    ],
  },
  'GET /metrics': {
    id: 'metrics',
    summary: 'Figures for Prometheus',
    description:
      'Where the settings ask for a credential: an API key of the default application with the scopes read and admin, bound to no dialects.',
    public: 'by-setting',
    refused: guarded,
    answers: [
      {
        status: 200,
        description: 'The Prometheus text format.',
        text: { contentType: 'text/plain; version=0.0.4; charset=utf-8', example: '# HELP polylogue_runs Runs by state\n' },
      },
    ],
  },
  'GET /openapi.json': description('openApi', 'This description, as OpenAPI 3.1', { openapi: '3.1.0' }),
  'GET /openapi-3.0.json': description('openApi30', 'This description, as OpenAPI 3.0 for older tools', { openapi: '3.0.3' }),
  'GET /asyncapi.json': description('asyncApi', 'The WebSocket, as AsyncAPI 3.0', { asyncapi: '3.0.0' }),
  'GET /docs': { id: 'docs', summary: 'This description as a page to try things on', public: true, answers: [page('Swagger UI.')] },
  'GET /docs/:file': {
    id: 'docsFile',
    summary: 'A part of the page at /docs',
    public: true,
    parameters: [
      {
        name: 'file',
        in: 'path',
        description: 'Its name.',
        schema: oneOf('swagger-ui.css', 'swagger-ui-bundle.js', 'start.js', 'start.css', 'icon.png'),
        example: 'start.js',
      },
    ],
    answers: [
      { status: 200, description: 'The file.', text: { contentType: 'text/javascript; charset=utf-8', example: 'SwaggerUIBundle(...)' } },
    ],
    refused: [{ request: { path: { file: 'nothing.js' } }, fail: () => toAppError({ code: 'FST_ERR_BAD_URL' }) }],
  },
};

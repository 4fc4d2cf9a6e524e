import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import type { Dialect } from '../dialect.ts';
import { collectRoutes } from './described-routes.ts';
import type { CachedDocument, writeDocuments } from './documents.ts';
import { createPageFiles, PAGE, PAGE_POLICY } from './swagger-page.ts';

interface DocsOptions {
  readonly dialects: readonly Dialect[];
  /** Where callers reach the server; null: this machine, at the port it listens on. */
  readonly publicUrl: string | null;
  /** The key to fill in on the page: the published development key, else null. */
  readonly exampleKey: string | null;
}

/** Serves the description of all routes that are registered from now on, its own too, and a page to try them on. Made when first asked for. */
export function registerDocs(app: FastifyInstance, { dialects, publicUrl, exampleKey }: DocsOptions): void {
  const routes = collectRoutes(app);
  let written: ReturnType<typeof writeDocuments> | null = null;
  const documents = () => {
    written ??= import('./documents.ts').then((module) => module.writeDocuments(routes, dialects));
    return written;
  };
  const options = { exposeHeadRoute: true };
  app.get('/openapi.json', options, async (request, reply) => sendDocument((await documents()).openApi, request, reply));
  app.get('/openapi-3.0.json', options, async (request, reply) => sendDocument((await documents()).openApi30, request, reply));
  app.get('/asyncapi.json', options, async (request, reply) => {
    const url = publicUrl ?? `http://localhost:${request.socket.localPort ?? 80}`;
    return sendDocument((await documents()).asyncApi(url), request, reply);
  });
  registerPage(app, exampleKey);
}

function registerPage(app: FastifyInstance, exampleKey: string | null): void {
  const fileOf = createPageFiles(exampleKey);
  app.get('/docs', { exposeHeadRoute: true }, async (_request, reply) => {
    reply.header('content-security-policy', PAGE_POLICY).header('referrer-policy', 'no-referrer').header('cache-control', 'no-cache');
    return reply.type('text/html; charset=utf-8').send(PAGE);
  });
  app.get('/docs/:file', { exposeHeadRoute: true }, async (request, reply) => {
    const found = await fileOf((request.params as { file: string }).file);
    if (!found) throw new AppError('route_not_found', 'There is nothing at this address.');
    return reply.type(found.type).header('cache-control', 'no-cache').send(found.content);
  });
}

function sendDocument({ text, etag }: CachedDocument, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header('etag', etag).header('cache-control', 'no-cache');
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag)) return reply.code(304).send();
  return reply.type('application/json; charset=utf-8').send(text);
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DialectDeps } from '../../http/dialect.ts';
import type { Exchange } from '../../http/while-awaited.ts';
import { callerIn, nameThread } from './request.ts';
import { toMetadata } from './translate.ts';
import { readSessionNumber, TagsBody } from './wire.ts';

/** Adds the routes of a session's tags and figures. */
export function registerMetadataRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  const tags = { schema: { body: TagsBody } };
  scope.post('/sessions/:session_id/tags', tags, (request, reply) => changeTags(deps, 'add', { request, reply }));
  scope.delete('/sessions/:session_id/tags', tags, (request, reply) => changeTags(deps, 'remove', { request, reply }));
  scope.get('/sessions/:session_id/metadata', (request, reply) => showMetadata(deps, request, reply));
}

const SAID = { add: 'Tags added successfully', remove: 'Tags removed successfully' } as const;

function sessionIn(request: FastifyRequest): { number: number } {
  const { session_id = '' } = request.params as { session_id?: string };
  return { number: readSessionNumber(session_id) };
}

async function changeTags({ engine }: DialectDeps, change: keyof typeof SAID, { request, reply }: Exchange): Promise<object> {
  const { tags } = request.body as TagsBody;
  const thread = await engine.threads.changeTags(callerIn(request), sessionIn(request), { [change]: tags });
  nameThread(reply, thread);
  return { message: SAID[change], tags: thread.tags };
}

async function showMetadata({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const [owner, ref] = [callerIn(request), sessionIn(request)];
  const thread = await engine.threads.find(owner, ref);
  const figures = await engine.threads.measure(owner, ref);
  nameThread(reply, thread);
  return toMetadata(thread, figures);
}

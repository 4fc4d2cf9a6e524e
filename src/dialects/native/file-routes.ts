import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkCredential } from '../../http/current-credential.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { sendFile } from '../../http/download.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { readFileCursor, writeFileCursor } from '../../http/list-cursor.ts';
import { createQueryReader } from '../../http/query.ts';
import { takesUpload, useUploads, withUpload } from '../../http/upload.ts';
import { toFileView } from './file-view.ts';
import { callerIn, fileIn, threadIn } from './request.ts';

const PAGE = { min: 1, max: 100, default: 20 };

/** Adds the files of threads. */
export function registerFileRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.register(async (own) => {
    useUploads(own, deps.clock);
    own.post('/threads/:thread_id/files', { config: takesUpload }, (request, reply) => addFile(deps, request, reply));
  });
  scope.get('/threads/:thread_id/files', (request, reply) => listFiles(deps, request, reply));
  scope.get('/files/:file_id', (request, reply) => showFile(deps, request, reply));
  scope.get('/files/:file_id/content', (request, reply) => downloadFile(deps, request, reply));
  scope.delete('/files/:file_id', (request, reply) => deleteFile(deps, request, reply));
}

async function addFile({ engine, clock }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const owner = callerIn(request);
  const repeat = readRepeatKey(request, 'native');
  const { thread, release } = await engine.attachments.admit(owner, threadIn(request));
  try {
    const check = () => checkCredential(request, clock);
    const { attachment, replayed } = await withUpload({ request, reply, clock, strict: true }, (file) =>
      engine.attachments.add({ ...file, owner, thread, repeat, check }),
    );
    if (replayed) reply.header('idempotent-replayed', 'true');
    reply.code(201).header('location', `/polylogue/v1/files/${attachment.id}`).header('x-thread-id', thread.id);
    return toFileView(attachment);
  } finally {
    release();
  }
}

async function listFiles({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const thread = threadIn(request);
  const reader = createQueryReader(request.query);
  const limit = reader.integer('limit', PAGE);
  const cursor = reader.text('cursor', 200);
  const after = cursor === null ? null : readFileCursor(cursor);
  const found = await engine.attachments.list(callerIn(request), thread, { limit: limit + 1, after });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  reply.header('x-thread-id', thread.id);
  return { data: data.map(toFileView), next_cursor: last && found.length > limit ? writeFileCursor(last.id) : null };
}

async function showFile({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const file = await engine.attachments.find(callerIn(request), fileIn(request));
  reply.header('x-thread-id', file.threadId);
  return toFileView(file);
}

async function downloadFile({ engine, clock }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const file = await engine.attachments.open(callerIn(request), fileIn(request).id);
  return sendFile(reply.header('x-thread-id', file.attachment.threadId), clock, file);
}

async function deleteFile({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { threadId } = await engine.attachments.delete(callerIn(request), fileIn(request).id);
  await reply.code(204).header('x-thread-id', threadId).send();
}

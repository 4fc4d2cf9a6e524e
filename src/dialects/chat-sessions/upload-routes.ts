import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Attachment, mediaTypeOf } from '../../core/attachment.ts';
import { checkCredential } from '../../http/current-credential.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { cutWhenStalled } from '../../http/stalled-answer.ts';
import { takesUpload, useUploads, withUpload } from '../../http/upload.ts';
import { callerIn, nameThread } from './request.ts';
import { readSessionNumber } from './wire.ts';

/** Adds the upload of files, whose bodies are forms, in a scope of its own. */
export function registerUploadRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.register(async (own) => {
    useUploads(own, deps.clock);
    own.post('/sessions/:session_id/upload', { config: takesUpload }, (request, reply) => uploadFile(deps, request, reply));
  });
}

async function uploadFile({ engine, clock }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const owner = callerIn(request);
  const { session_id = '' } = request.params as { session_id?: string };
  const repeat = readRepeatKey(request, 'chat-sessions');
  const { thread, release } = await engine.attachments.admit(owner, { number: readSessionNumber(session_id) });
  const check = () => checkCredential(request, clock);
  // The place is for what comes in: whoever takes long to read the answer holds none.
  const { attachment, replayed } = await withUpload({ request, reply, clock, strict: false }, (file) =>
    engine.attachments.add({ ...file, owner, thread, types: ['pdf'], repeat, check }),
  ).finally(release);
  if (replayed) reply.header('idempotent-replayed', 'true');
  nameThread(reply, thread).type('application/json; charset=utf-8');
  cutWhenStalled(reply, clock);
  return await reply.send(Readable.from(toUploaded(attachment, engine.attachments.text(attachment))));
}

/** The answer to an upload, in pieces: its text may be long. */
async function* toUploaded(attachment: Attachment, text: AsyncIterable<string>): AsyncGenerator<string> {
  const { number, name, size, type, pageCount, truncated } = attachment;
  const file = JSON.stringify({ id: number, filename: name, file_size: size, mime_type: mediaTypeOf(type) });
  yield `{"file":${file.slice(0, -1)},"extracted_text":"`;
  for await (const piece of text) yield JSON.stringify(piece).slice(1, -1);
  const metadata = { page_count: pageCount, ...(truncated && { truncated }) };
  yield `","metadata":${JSON.stringify(metadata)}},"message":"File uploaded successfully"}`;
}

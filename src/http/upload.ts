import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MAX_FILE_BYTES } from '../core/attachment.ts';
import { AppError } from '../core/errors.ts';
import type { Clock } from '../core/ports/clock.ts';
import { fileTooLarge } from '../core/refusals.ts';
import { announcesBody, type RouteBody, refuseSlow } from './body-deadline.ts';
import { fileMissing } from './form-failures.ts';
import { closeGently } from './gentle-close.ts';
import type { Form, FormFile } from './multipart.ts';

/** Bytes that a form may have beside its file. */
const FORM_BYTES = 65_536;
/** The most that is read of a form whose length nobody said: enough to see that its file is too large. */
const MAX_READ = MAX_FILE_BYTES + 16 * FORM_BYTES;
/** How long a sender may pause, and how slow it may be then on the whole. How long all may take, the server bounds for every request. */
const IDLE_MS = 8_000;
const BYTES_PER_MS = 4;
const LOOK_MS = 1_000;

/** The `config` of a route that takes an upload. */
export const takesUpload: RouteBody = { streamsBody: true };

/** Leaves bodies of any type unread in a scope: its routes read them by `withUpload`, and a sender who is refused meanwhile can read why. */
export function useUploads(scope: FastifyInstance, clock: Pick<Clock, 'after'>): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _body, done) => done(null));
  scope.addHook('onError', async (_request, reply) => closeGently(reply, clock));
}

/** A file that is coming in. */
export interface IncomingFile extends FormFile {
  /** Aborts when its sender is gone or too slow. */
  readonly signal: AbortSignal;
}

interface UploadExchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly clock: Clock;
  /** Refuses fields beside the file. */
  readonly strict: boolean;
}

/**
 * Hands over the file of an upload while it comes. Rejects with `file_too_large` before anything is read when the request says so itself, with
 * `content_type_unsupported`, `validation_failed` without exactly one file in the field `file`, `body_invalid`, and with what `use` rejects with.
 */
export async function withUpload<T>(exchange: UploadExchange, use: (file: IncomingFile) => Promise<T>): Promise<T> {
  const { request } = exchange;
  if (Number(request.headers['content-length'] ?? 0) > MAX_FILE_BYTES + FORM_BYTES) throw fileTooLarge();
  if (!announcesBody(request)) throw fileMissing();
  // A server to which nobody uploads does without the parser.
  const { readForm } = await import('./multipart.ts');
  const form = readForm(request, exchange);
  const stop = new AbortController();
  const unwatch = watch(exchange, form, stop);
  try {
    return await use({ ...(await form.file), signal: stop.signal });
  } finally {
    unwatch();
    form.close();
  }
}

/** Ends the form when its sender breaks off, pauses for too long, or sends more than a form may have; the function it returns ends the watch. */
function watch({ request, reply, clock }: UploadExchange, form: Form, stop: AbortController): () => void {
  const { raw } = request;
  let bytes = 0;
  let heardAt = clock.elapsed();
  let waitedMs = 0;

  function fail(failure: AppError): void {
    stop.abort(failure);
    form.fail(failure);
  }
  function onData(chunk: Uint8Array): void {
    bytes += chunk.length;
    heardAt = clock.elapsed();
    if (bytes > MAX_READ) form.fail(fileTooLarge());
  }
  function onClose(): void {
    fail(new AppError('body_invalid', 'The upload broke off.'));
  }
  function look(): void {
    // What is not read because the disk is slow, or because all of it is there, is not the sender's fault.
    if (raw.complete || raw.isPaused()) heardAt = clock.elapsed();
    else waitedMs += LOOK_MS;
    if (clock.elapsed() - heardAt <= IDLE_MS && waitedMs <= IDLE_MS + bytes / BYTES_PER_MS) {
      cancel = clock.after(LOOK_MS, look);
      return;
    }
    refuseSlow(reply);
    fail(new AppError('body_invalid', 'The upload came too slowly.'));
  }

  let cancel = clock.after(LOOK_MS, look);
  raw.on('data', onData);
  reply.raw.once('close', onClose);
  return () => {
    cancel();
    raw.off('data', onData);
    reply.raw.off('close', onClose);
  };
}

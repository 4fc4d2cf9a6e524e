import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { type Attachment, mediaTypeOf } from '../core/attachment.ts';
import type { Clock } from '../core/ports/clock.ts';
import { cutWhenStalled } from './stalled-answer.ts';

/** Sends a file as it came, so that a browser saves it and runs nothing in it; breaks off when nobody takes it. */
export function sendFile(
  reply: FastifyReply,
  clock: Pick<Clock, 'every'>,
  { attachment, content }: { readonly attachment: Attachment; readonly content: AsyncIterable<Uint8Array> },
): FastifyReply {
  cutWhenStalled(reply, clock);
  reply
    .header('content-type', mediaTypeOf(attachment.type))
    .header('content-length', String(attachment.size))
    .header('content-disposition', contentDisposition(attachment.name))
    .header('content-security-policy', "sandbox; default-src 'none'");
  return reply.send(content instanceof Readable ? content : Readable.from(content));
}

/** What makes a browser save a file under its name (RFC 6266), in ASCII for those that know no other (RFC 8187). */
export function contentDisposition(name: string): string {
  const ascii = name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

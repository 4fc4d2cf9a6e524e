import type { FastifyReply, FastifyRequest } from 'fastify';
import { credentialRevoked } from '../core/refusals.ts';
import type { Preview, PreviewPrompt } from '../engine/index.ts';
import type { DialectDeps } from './dialect.ts';
import { noteRate } from './rate-headers.ts';
import { onRevoked } from './revocation.ts';
import { visitOf } from './visit.ts';

/** Waits for a preview as long as somebody waits for it: who hangs up, or whose credential is revoked, stops the model. */
export async function previewPrompt(
  { engine, settings }: Pick<DialectDeps, 'engine' | 'settings'>,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  asked: Pick<PreviewPrompt, 'caller' | 'prompt' | 'variables'>,
): Promise<Preview> {
  const revoked = visitOf(request).principal?.revoked;
  const gone = new AbortController();
  const leave = () => gone.abort();
  const forget = onRevoked(revoked, leave);
  // The request's own signal is deaf: it is there only once the body is read, and then the request has closed already.
  reply.raw.once('close', leave);
  if (reply.raw.destroyed) leave();
  const { signal } = gone;
  try {
    const preview = await engine.prompts.preview({ ...asked, timeoutMs: settings.answerTimeoutMs, signal });
    if (revoked?.aborted) throw credentialRevoked();
    noteRate(request, preview.rate);
    return preview;
  } catch (error) {
    if (revoked?.aborted) throw credentialRevoked();
    throw error;
  } finally {
    forget();
    reply.raw.off('close', leave);
  }
}

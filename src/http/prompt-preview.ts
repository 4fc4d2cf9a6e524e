import type { Preview, PreviewPrompt } from '../engine/index.ts';
import type { DialectDeps } from './dialect.ts';
import { noteRate } from './rate-headers.ts';
import { type Exchange, whileAwaited } from './while-awaited.ts';

/** Waits for a preview as long as somebody waits for it: who hangs up, or whose credential is revoked, stops the model. */
export async function previewPrompt(
  { engine, settings }: Pick<DialectDeps, 'engine' | 'settings'>,
  exchange: Exchange,
  asked: Pick<PreviewPrompt, 'caller' | 'prompt' | 'variables'>,
): Promise<Preview> {
  const timeoutMs = settings.answerTimeoutMs;
  const preview = await whileAwaited(exchange, (signal) => engine.prompts.preview({ ...asked, timeoutMs, signal }));
  noteRate(exchange.request, preview.rate);
  return preview;
}

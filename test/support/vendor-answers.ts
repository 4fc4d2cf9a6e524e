import { createAnthropicProvider } from '../../src/backends/models/ai-sdk/anthropic.ts';
import { createGoogleProvider } from '../../src/backends/models/ai-sdk/google.ts';
import type { AiSdkOptions } from '../../src/backends/models/ai-sdk/provider.ts';
import type { ModelProvider, ModelRequest } from '../../src/core/ports/model-provider.ts';
import type { Step } from './upstream.ts';

/** One of the vendors with protocols of their own, and how its servers write a streamed answer. */
export interface VendorCase {
  readonly name: 'anthropic' | 'google';
  readonly model: string;
  /** Behind the origin of a server that plays all vendors. */
  readonly path: string;
  readonly create: (options: AiSdkOptions) => Promise<ModelProvider>;
  /** What comes before the first text. */
  readonly opening: string;
  readonly text: (text: string) => string;
  readonly ending: string;
  /** An error that is part of the stream. */
  readonly error: (kind: 'overloaded' | 'rate_limited', message: string) => string;
  /** The body of a refusal. */
  readonly refusal: (message: string) => object;
}

function event(type: string, fields: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function gemini(fields: object): string {
  return `data: ${JSON.stringify(fields)}\r\n\r\n`;
}

const anthropic: VendorCase = {
  name: 'anthropic',
  model: 'claude-sonnet-4-5',
  path: '/v1',
  create: createAnthropicProvider,
  opening:
    event('message_start', {
      message: {
        id: 'm',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5',
        content: [],
        stop_reason: null,
        usage: { input_tokens: 7, cache_read_input_tokens: 3, output_tokens: 1 },
      },
    }) + event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  text: (text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  ending:
    event('content_block_stop', { index: 0 }) +
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } }) +
    event('message_stop'),
  error: (kind, message) => event('error', { error: { type: kind === 'overloaded' ? 'overloaded_error' : 'rate_limit_error', message } }),
  refusal: (message) => ({ type: 'error', error: { type: 'invalid_request_error', message } }),
};

const google: VendorCase = {
  name: 'google',
  model: 'gemini-2.5-flash',
  path: '/v1beta',
  create: createGoogleProvider,
  opening: '',
  text: (text) => gemini({ candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }] }),
  ending: gemini({
    candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 10, cachedContentTokenCount: 3, candidatesTokenCount: 5, totalTokenCount: 15 },
  }),
  error: (kind, message) =>
    gemini({
      error: kind === 'overloaded' ? { code: 503, message, status: 'UNAVAILABLE' } : { code: 429, message, status: 'RESOURCE_EXHAUSTED' },
    }),
  refusal: (message) => ({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }),
};

/** Both, for tests that hold for either. */
export const VENDORS: readonly VendorCase[] = [anthropic, google];

/** The head of a streamed answer. */
export const STREAM_HEAD: Step = { head: 200, headers: { 'content-type': 'text/event-stream' } };

/** The steps of an ordinary answer, one write for each piece. */
export function vendorAnswer(vendor: VendorCase, pieces: readonly string[]): Step[] {
  return [
    STREAM_HEAD,
    { raw: vendor.opening },
    ...pieces.map((piece) => ({ raw: vendor.text(piece) })),
    { raw: vendor.ending },
    { end: true },
  ];
}

interface RefusalDetails {
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The steps of an error in the vendor's shape. */
export function vendorRefusal(vendor: VendorCase, status: number, { message = 'x', headers = {} }: RefusalDetails = {}): Step[] {
  return [
    { head: status, headers: { 'content-type': 'application/json', ...headers } },
    { raw: JSON.stringify(vendor.refusal(message)) },
    { end: true },
  ];
}

/** A question in one message. */
export function questionFor({ model }: Pick<VendorCase, 'model'>, text = 'hi'): ModelRequest {
  return { model, messages: [{ role: 'user', parts: [{ type: 'text', text }] }], temperature: null, maxTokens: null };
}

import { readBounded } from './body-reading.ts';
import { createDeadline } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';
import { interrupted, malformed, statusError, tooLong, unreachable } from './failures.ts';
import { parseJson } from './json-fields.ts';
import { createQuote, messageIn } from './redact.ts';

const WAIT_MS = 10_000;
const MAX_CHARACTERS = 1024 * 1024;

/** Asks for a JSON document of at most a million characters within ten seconds. Rejects with a `ModelError`, or with the signal's reason. */
export async function getJson(
  endpoint: Endpoint,
  { path, headers = {} }: { path: string; headers?: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<unknown> {
  signal.throwIfAborted();
  const deadline = createDeadline(signal, { firstByteMs: WAIT_MS, idleMs: WAIT_MS, totalMs: WAIT_MS });
  try {
    const response = await endpoint.send({ path, headers, body: null, signal: deadline.signal }).catch((error: unknown) => {
      deadline.signal.throwIfAborted();
      throw unreachable(error);
    });
    const { text, whole, cut } = await readBounded(response, MAX_CHARACTERS, deadline);
    deadline.signal.throwIfAborted();
    if (response.statusCode !== 200) throw statusError(response.statusCode ?? 0, createQuote(endpoint.secrets)(messageIn(text)));
    if (cut) throw tooLong();
    if (!whole) throw interrupted(new Error('connection lost'));
    const body = parseJson(text);
    if (body === undefined) throw malformed(new Error('no JSON'));
    return body;
  } finally {
    deadline.release();
  }
}

import type { Connection } from './attempt.ts';
import { readBounded } from './body-reading.ts';
import { createDeadline } from './deadline.ts';
import { interrupted, malformed, statusError, tooLong, unreachable } from './failures.ts';
import { elementsOf, fieldsOf, parseJson, stringOf } from './json-fields.ts';
import { createQuote, messageIn } from './redact.ts';

const WAIT_MS = 10_000;
const MAX_CHARACTERS = 1024 * 1024;

/** The ids that the provider's GET /models names. Rejects with a `ModelError`, or with the signal's reason. */
export async function listModels({ endpoint }: Connection, signal: AbortSignal): Promise<readonly string[]> {
  signal.throwIfAborted();
  const deadline = createDeadline(signal, { firstByteMs: WAIT_MS, idleMs: WAIT_MS, totalMs: WAIT_MS });
  try {
    const response = await endpoint.send({ path: '/models', body: null, signal: deadline.signal }).catch((error: unknown) => {
      deadline.signal.throwIfAborted();
      throw unreachable(error);
    });
    const { text, whole, cut } = await readBounded(response, MAX_CHARACTERS, deadline);
    deadline.signal.throwIfAborted();
    if (response.statusCode !== 200) throw statusError(response.statusCode ?? 0, createQuote(endpoint.secrets)(messageIn(text)));
    if (cut) throw tooLong();
    if (!whole) throw interrupted(new Error('connection lost'));
    const body = parseJson(text);
    if (body === undefined) throw malformed(new Error('the list of models is no JSON'));
    const entries = Array.isArray(body) ? body : elementsOf(fieldsOf(body).data);
    return entries.map((entry) => stringOf(fieldsOf(entry).id)).filter((id) => id !== '');
  } finally {
    deadline.release();
  }
}

import type { Clock } from '../../core/ports/clock.ts';
import { readVerificationKey, type VerificationKey } from './jwk.ts';
import { parseJsonRecord } from './strict-json.ts';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 262_144;
const MAX_KEYS = 100;

/**
 * Fetches a JWK set (RFC 7517) within 5 seconds and 256 KB, following no redirect. Keys in it that are not for signatures are left out.
 * Rejects with a sentence for the operator when the server does not answer with a set of at most 100 keys.
 */
export async function downloadKeySet(url: string, options: { clock: Clock; signal: AbortSignal }): Promise<readonly VerificationKey[]> {
  const timeout = new AbortController();
  const cancel = options.clock.after(TIMEOUT_MS, () => timeout.abort(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
  const signal = AbortSignal.any([timeout.signal, options.signal]);
  try {
    // A redirect would let whoever answers choose another place, also one inside the operator's network.
    const response = await fetch(url, { signal, redirect: 'manual', headers: { accept: 'application/jwk-set+json, application/json' } });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the answer has the status ${response.status}`);
    }
    return readKeys(await readBody(response));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    cancel();
  }
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Counted after decompression; leaving the loop closes the connection.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`the answer is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function readKeys(body: Buffer): readonly VerificationKey[] {
  const keys = parseJsonRecord(body)?.keys;
  if (!Array.isArray(keys)) throw new Error('the answer is no JWK set');
  if (keys.length > MAX_KEYS) throw new Error(`the answer has more than ${MAX_KEYS} keys`);
  return keys.flatMap((jwk) => readVerificationKey(jwk) ?? []);
}

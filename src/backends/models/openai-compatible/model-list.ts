import type { Endpoint } from '../upstream/endpoint.ts';
import { getJson } from '../upstream/get-json.ts';
import { elementsOf, fieldsOf, stringOf } from '../upstream/json-fields.ts';

/** The ids that the provider's GET /models names. Rejects with a `ModelError`, or with the signal's reason. */
export async function listModels(endpoint: Endpoint, signal: AbortSignal): Promise<readonly string[]> {
  const body = await getJson(endpoint, { path: '/models' }, signal);
  const entries = Array.isArray(body) ? body : elementsOf(fieldsOf(body).data);
  return entries.map((entry) => stringOf(fieldsOf(entry).id)).filter((id) => id !== '');
}

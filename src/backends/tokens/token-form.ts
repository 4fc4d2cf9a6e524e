import { ASYMMETRIC_ALGORITHMS } from './jwk.ts';
import { decodeBase64Url, type JsonRecord, parseJsonRecord } from './strict-json.ts';

const MAX_TOKEN_CHARACTERS = 8192;
const MAX_KID_CHARACTERS = 255;
/** Headers that bring a key along or change what is signed: keys come from the settings only, and nothing needs extensions. */
const REFUSED_HEADERS = ['crit', 'jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'b64', 'zip', 'enc'];
const TYPES = ['jwt', 'at+jwt'];

/** A token whose form is beyond doubt. Nothing in it is proven yet. */
export interface UnprovenToken {
  readonly text: string;
  readonly alg: string;
  readonly kid: string | null;
  readonly claims: JsonRecord;
}

/** Null for what is no compact JWS (RFC 7515) over a JSON object, or has a header that no token of ours needs (RFC 8725). */
export function readToken(text: string): UnprovenToken | null {
  if (text.length > MAX_TOKEN_CHARACTERS) return null;
  const parts = text.split('.').map(decodeBase64Url);
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || !header || !payload || !signature || signature.length === 0) return null;
  const fields = parseJsonRecord(header);
  if (fields === null || REFUSED_HEADERS.some((name) => Object.hasOwn(fields, name))) return null;
  const claims = parseJsonRecord(payload);
  const { alg } = fields;
  if (claims === null || !isAlgorithm(alg) || !isAccessToken(fields)) return null;
  if (!Object.hasOwn(fields, 'kid')) return { text, alg, kid: null, claims };
  return isKeyId(fields.kid) ? { text, alg, kid: fields.kid, claims } : null;
}

function isAlgorithm(alg: unknown): alg is string {
  return typeof alg === 'string' && (alg === 'HS256' || ASYMMETRIC_ALGORITHMS.has(alg));
}

/** Not one to refresh or to log out with (RFC 8725 section 3.11). */
function isAccessToken({ typ }: JsonRecord): boolean {
  return typ === undefined || (typeof typ === 'string' && TYPES.includes(typ.toLowerCase()));
}

function isKeyId(kid: unknown): kid is string {
  return typeof kid === 'string' && kid !== '' && kid.length <= MAX_KID_CHARACTERS;
}

/** A JSON object as a token carries it. */
export type JsonRecord = Readonly<Record<string, unknown>>;

const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** Decodes unpadded base64url; null unless the text is exactly what encoding its bytes gives (RFC 4648 section 3.5). */
export function decodeBase64Url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

/** Parses one JSON object; null for invalid UTF-8, other JSON, and objects in which a name stands twice (RFC 8725 section 2.4). */
export function parseJsonRecord(bytes: Uint8Array): JsonRecord | null {
  const value = parseJson(bytes);
  if (value === null || typeof value.json !== 'object' || value.json === null || Array.isArray(value.json)) return null;
  return countNames(value.json) === namesWritten(value.text) ? (value.json as JsonRecord) : null;
}

function parseJson(bytes: Uint8Array): { text: string; json: unknown } | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, json: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

/** In valid JSON quotation marks only delimit strings, and a string before a colon is a name. */
function namesWritten(text: string): number {
  let names = 0;
  for (const match of text.matchAll(STRING)) if (match[1] !== undefined) names += 1;
  return names;
}

function countNames(root: object): number {
  let names = 0;
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const members = Object.values(value);
    if (!Array.isArray(value)) names += members.length;
    for (const member of members) open.push(member);
  }
  return names;
}

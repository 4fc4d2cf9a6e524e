/** Names under which credentials travel, as headers and as fields, in lower case. */
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'x-api-key', 'cookie', 'set-cookie', 'sec-websocket-protocol']);
const CENSORED = '[redacted]';
/** Logged objects are flat; headers in them stand at most this deep. */
const MAX_DEPTH = 4;

type Fields = Record<string, unknown>;

/** The same fields without credentials: the very object when there are none, else a copy. `written` names fields that are written in a form of their own. */
export function redactCredentials(fields: Fields, written: ReadonlySet<string>, depth = 0): Fields {
  let redacted: Fields | null = null;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const shown = SECRETS.has(name.toLowerCase()) ? CENSORED : written.has(name) ? value : redactInside(value, written, depth);
    if (shown === value) continue;
    redacted ??= { ...fields };
    redacted[name] = shown;
  }
  return redacted ?? fields;
}

function redactInside(value: unknown, written: ReadonlySet<string>, depth: number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === MAX_DEPTH) return value;
  return redactCredentials(value as Fields, written, depth + 1);
}

const MASK = '[redacted]';
/** Shorter values are words that happen to stand in a text. */
const SHORTEST_SECRET = 8;

/** Takes secrets out of a text. */
export type Redact = (text: string) => string;

/** Masks these exact texts, also as they stand in JSON and in addresses. */
export function createRedact(secrets: readonly string[]): Redact {
  const forms = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), Buffer.from(secret).toString('base64')]);
  const masked = [...new Set(forms)].sort((left, right) => right.length - left.length);
  return (text) => masked.reduce((cleaned, secret) => cleaned.replaceAll(secret, MASK), text);
}

/** The shortest HMAC key that is as strong as the SHA-256 it feeds (RFC 7518 section 3.2), in characters. */
const MIN_LENGTH = 32;
const MIN_DISTINCT = 8;

/** Phrases of published examples and tutorials, as they read once case and punctuation are gone. */
const PLACEHOLDERS = [
  'yoursecret',
  'yourjwt',
  'yourbetterauth',
  'yoursuper',
  'your256bit',
  'mysecret',
  'jwtsecretkey',
  'secretkeyhere',
  'supersecret',
  'verysecret',
  'changeme',
  'changethis',
  'changein',
  'replaceme',
  'replacethis',
  'replacewith',
  'placeholder',
  'development',
  'donotuse',
  'notasecret',
  'examplesecret',
  'insecure',
];

/** Why a signing secret could be guessed, as the end of a sentence about it; null when nothing speaks against it. */
export function secretWeakness(secret: string): string | null {
  const letters = secret.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (PLACEHOLDERS.some((phrase) => letters.includes(phrase))) return 'is a placeholder from an example';
  if (secret.length < MIN_LENGTH) return `is shorter than ${MIN_LENGTH} characters`;
  if (new Set(secret).size < MIN_DISTINCT || repeatsItself(secret)) return 'repeats the same characters';
  return null;
}

/** A text is a repetition exactly when it occurs in its own double before the end of the first half. */
function repeatsItself(text: string): boolean {
  return `${text}${text}`.indexOf(text, 1) < text.length;
}

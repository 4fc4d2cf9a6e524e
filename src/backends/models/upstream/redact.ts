import { elementsOf, fieldsOf, parseJson, stringOf } from './json-fields.ts';

const QUOTE_CHARACTERS = 300;
const MASK = '[redacted]';
const SHORTEST_SECRET = 4;

const PATTERNS: readonly RegExp[] = [
  /https?:\/\/[^\s"'<>]+/gi,
  /\bbearer\s+[^\s"',;]+/gi,
  /\b(?:sk|pk|rk|gsk|xai|key|plg|org|proj)[-_][\w*.…-]{4,}/gi,
  /\bAIza[\w*-]{10,}/g,
  /\w{32,}/g,
  // Partly masked already, by the provider.
  /[\w-]*(?:\*{3,}|•{3,})[\w*•-]*/g,
];

/** Quotes a provider's words: on one line, without keys, addresses or any of `secrets`, at most 300 characters. */
export type Quote = (words: string) => string;

/** Makes a `Quote` that also masks these exact texts, such as the configured key and host. */
export function createQuote(secrets: readonly string[]): Quote {
  const masked = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  return (words) => {
    let text = words;
    for (const secret of masked) text = text.replaceAll(secret, MASK);
    for (const pattern of PATTERNS) text = text.replace(pattern, MASK);
    text = text
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .toWellFormed();
    return text.length <= QUOTE_CHARACTERS ? text : `${text.slice(0, QUOTE_CHARACTERS - 1).toWellFormed()}…`;
  };
}

/** The provider's own message in an error body, as OpenAI, Anthropic, Google, Ollama and FastAPI servers write it; empty when there is none. */
export function messageIn(body: string): string {
  const fields = fieldsOf(parseJson(body));
  const error = fieldsOf(fields.error);
  const detail = fieldsOf(elementsOf(fields.detail)[0]);
  return stringOf(error.message) || stringOf(fields.error) || stringOf(fields.message) || stringOf(fields.detail) || stringOf(detail.msg);
}

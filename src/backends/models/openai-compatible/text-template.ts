/**
 * What stands in a payload around its text, both empty until one was learned: payloads that differ from it in nothing but their text are read
 * without parsing them, and nine of ten are such.
 */
export interface TextTemplate {
  before: string;
  behind: string;
}

const KEY = '"content":';
/** What has no place in a JSON string, or does not stand for itself there. */
const NOT_PLAIN = /["\\\p{Cc}]/u;

/** A template for one answer. */
export function createTextTemplate(): TextTemplate {
  return { before: '', behind: '' };
}

/** The text of a payload that says what the learned one said but for that; null when it does not, or not for certain. */
export function matchText({ before, behind }: TextTemplate, payload: string): string | null {
  const end = payload.length - behind.length;
  if (behind === '' || end < before.length) return null;
  // Comparing slices is four times as fast as startsWith and endsWith.
  if (payload.slice(0, before.length) !== before || payload.slice(end) !== behind) return null;
  const text = payload.slice(before.length, end);
  return NOT_PLAIN.test(text) ? null : text;
}

/** Learns from a payload that was parsed and brought this text as its `content`, and nothing else. */
export function learnText(template: TextTemplate, payload: string, text: string): void {
  const at = payload.indexOf(KEY);
  if (at < 1 || payload[at - 1] === '\\' || payload.includes(KEY, at + 1) || NOT_PLAIN.test(text)) return;
  const start = payload.indexOf('"', at + KEY.length) + 1;
  const end = start + text.length;
  if (payload.slice(at + KEY.length, start).trim() !== '"' || payload.slice(start, end) !== text || payload[end] !== '"') return;
  template.before = payload.slice(0, start);
  template.behind = payload.slice(end);
}

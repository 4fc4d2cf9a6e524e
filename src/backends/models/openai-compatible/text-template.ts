/** Reads payloads that differ from an earlier one in nothing but their text, without parsing them: nine of ten are such. */
export interface TextTemplate {
  /** The text of a payload that says what the learned one said but for that; null when it does not, or not for certain. */
  match(payload: string): string | null;
  /** Learns from a payload that was parsed and brought this text as its `content`, and nothing else. */
  learn(payload: string, text: string): void;
}

const KEY = '"content":';
/** What has no place in a JSON string, or does not stand for itself there. */
const NOT_PLAIN = /["\\\p{Cc}]/u;

/** A template for one answer. */
export function createTextTemplate(): TextTemplate {
  let before = '';
  let behind = '';
  return {
    match(payload) {
      const end = payload.length - behind.length;
      if (behind === '' || end < before.length) return null;
      // Comparing slices is four times as fast as startsWith and endsWith.
      if (payload.slice(0, before.length) !== before || payload.slice(end) !== behind) return null;
      const text = payload.slice(before.length, end);
      return NOT_PLAIN.test(text) ? null : text;
    },
    learn(payload, text) {
      const at = payload.indexOf(KEY);
      if (at < 1 || payload[at - 1] === '\\' || payload.includes(KEY, at + 1) || NOT_PLAIN.test(text)) return;
      const start = payload.indexOf('"', at + KEY.length) + 1;
      const end = start + text.length;
      if (payload.slice(at + KEY.length, start).trim() !== '"' || payload.slice(start, end) !== text || payload[end] !== '"') return;
      before = payload.slice(0, start);
      behind = payload.slice(end);
    },
  };
}

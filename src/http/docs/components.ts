import type { JsonSchema } from './schema.ts';

/** Collects what several operations of a document share, under names. */
export interface Components {
  /** Refers to this value in a section, under the wished name or, when something else has that, one with a number. */
  share(section: 'schemas' | 'responses' | 'examples' | 'parameters', name: string, value: object): { readonly $ref: string };
  readonly sections: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

export function createComponents(): Components {
  const sections: Record<string, Record<string, object>> = {};
  const names = new Map<string, string>();

  function freeName(section: Readonly<Record<string, object>>, wished: string): string {
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? wished : `${wished}-${number}`;
      if (!Object.hasOwn(section, name)) return name;
    }
  }

  return {
    sections,
    share(section, wished, value) {
      const key = `${section} ${wished} ${JSON.stringify(value)}`;
      const entries = sections[section] ?? {};
      sections[section] = entries;
      const name = names.get(key) ?? freeName(entries, wished);
      names.set(key, name);
      entries[name] = value;
      return { $ref: `#/components/${section}/${name}` };
    },
  };
}

/** Headers that answers carry, as components of the document. */
export const headers: Readonly<Record<string, { description: string; schema: JsonSchema }>> = {
  'X-Request-Id': {
    description: "The request's own X-Request-Id if it has 1 to 64 letters, digits, - and _, else one made here; it stands in the log.",
    schema: { type: 'string' },
  },
  'X-Thread-Id': {
    description: 'The thread that this is about; the same id in every dialect.',
    schema: { type: 'string', format: 'uuid' },
  },
  'X-Run-Id': { description: 'The run that answers; `/polylogue/v1/runs/{run_id}` shows it.', schema: { type: 'string', format: 'uuid' } },
  'X-Session-Id': { description: "The session's number.", schema: { type: 'string', pattern: '^[1-9][0-9]*$' } },
  'X-Model': { description: 'The model that answers.', schema: { type: 'string' } },
  Location: { description: 'Where the new record is.', schema: { type: 'string' } },
  'Idempotent-Replayed': {
    description: '`true` when an earlier request with this Idempotency-Key did the work.',
    schema: { const: 'true', type: 'string' },
  },
  ETag: { description: 'Names this version of the document; `If-None-Match` with it is answered by 304.', schema: { type: 'string' } },
  'Preference-Applied': { description: '`respond-sync` when the answer was waited for (RFC 7240).', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds to wait before trying again.', schema: { type: 'string', pattern: '^[0-9]+$' } },
  'Content-Disposition': { description: "`attachment`, with the file's name (RFC 6266).", schema: { type: 'string' } },
  'WWW-Authenticate': { description: 'The scheme to authenticate with.', schema: { type: 'string' } },
  'X-RateLimit-Limit': { description: 'What the tightest allowance gives in its window.', schema: { type: 'string' } },
  'X-RateLimit-Remaining': { description: 'What is left of it.', schema: { type: 'string' } },
  'X-RateLimit-Reset': { description: 'When its window ends.', schema: { type: 'string' } },
  RateLimit: { description: 'The same in one field (IETF draft ratelimit-headers).', schema: { type: 'string' } },
};

/** A content type without its parameters. */
export function mediaType(contentType: string): string {
  return contentType.split(';', 1)[0] ?? contentType;
}

/** References to headers by name. */
export function headerRefs(names: readonly string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTextTemplate, learnText, matchText } from './text-template.ts';

const tricky = fc.constantFrom(
  '"content":"x"',
  '\\"content\\":',
  'content',
  '"',
  '\\',
  '\n',
  '\u0000',
  '\u0085',
  '😀',
  '\ud800',
  '',
  ' ',
  'id',
  ':"',
  '"}',
);
const words = fc.oneof(
  tricky,
  fc.string(),
  fc.array(tricky, { maxLength: 4 }).map((pieces) => pieces.join('')),
);
const payloads = fc
  .record({
    id: words,
    key: fc.constantFrom('id', 'x"content', 'content', 'note'),
    text: words,
    more: fc.option(words),
    spaced: fc.boolean(),
  })
  .map(({ id, key, text, more, spaced }) => ({
    text,
    payload: JSON.stringify(
      { [key]: id, choices: [{ delta: { content: text, ...(more !== null && { role: more }) } }] },
      null,
      spaced ? 1 : 0,
    ),
  }));

/** What a payload says, without its text. */
function rest(payload: string): unknown {
  const said = JSON.parse(payload);
  said.choices[0].delta.content = null;
  return said;
}

const textOf = (payload: string) => JSON.parse(payload).choices[0].delta.content;

describe('a text template', () => {
  test('matches only what says the same but for the text, and gives exactly that text', () => {
    fc.assert(
      fc.property(payloads, fc.array(payloads, { maxLength: 5 }), words, (learned, others, text) => {
        const template = createTextTemplate();
        learnText(template, learned.payload, learned.text);
        const sameShape = JSON.parse(learned.payload);
        sameShape.choices[0].delta.content = text;
        for (const payload of [...others.map((other) => other.payload), JSON.stringify(sameShape)]) {
          const matched = matchText(template, payload);
          if (matched === null) continue;
          expect(matched).toBe(textOf(payload));
          expect(rest(payload)).toEqual(rest(learned.payload));
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('matches the next plain piece of a stream', () => {
    const template = createTextTemplate();
    const piece = (text: string) => `{"id":"1","choices":[{"index":0,"delta":{"content": ${JSON.stringify(text)}},"finish_reason":null}]}`;
    expect(matchText(template, piece('before'))).toBeNull();
    learnText(template, piece('one'), 'one');
    expect(matchText(template, piece(' two'))).toBe(' two');
    expect(matchText(template, piece(''))).toBe('');
    expect(matchText(template, piece('a "quoted" word'))).toBeNull();
    expect(matchText(template, piece('a line\n'))).toBeNull();
  });

  test.each([
    ['another id', '{"id":"2","choices":[{"delta":{"content":"two"},"finish_reason":null}]}'],
    ['an end', '{"id":"1","choices":[{"delta":{"content":"two"},"finish_reason":"stop"}]}'],
    ['more fields', '{"id":"1","choices":[{"delta":{"content":"two","refusal":"no"},"finish_reason":null}]}'],
    ['half a payload', '{"id":"1","choices":[{"delta":{"content":"'],
    ['a control character, which is no JSON', '{"id":"1","choices":[{"delta":{"content":"a\u0001"},"finish_reason":null}]}'],
  ])('does not match %s', (_, payload) => {
    const template = createTextTemplate();
    learnText(template, '{"id":"1","choices":[{"delta":{"content":"one"},"finish_reason":null}]}', 'one');
    expect(matchText(template, payload)).toBeNull();
  });
});

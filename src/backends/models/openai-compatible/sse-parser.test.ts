import { expect, test } from 'vitest';
import { createSseParser, endText, parseText } from './sse-parser.ts';

function eventsOf(pieces: readonly string[], maxCharacters = 100): string[] {
  const events: string[] = [];
  const parser = createSseParser({ maxCharacters, onData: (data) => events.push(data) });
  for (const piece of pieces) parseText(parser, piece);
  endText(parser);
  return events;
}

const STREAMS: readonly (readonly [string, readonly string[]])[] = [
  ['data: one\n\ndata: two\n\n', ['one', 'two']],
  ['data: one\r\n\r\ndata: two\r\n\r\n', ['one', 'two']],
  ['data: one\n\r\ndata: two\r\n\n', ['one', 'two']],
  ['data: one\ndata: more\n\ndata: two\n\n', ['one\nmore', 'two']],
  ['\uFEFFdata: one\n\n: comment\n\nid: 3\ndata: two\nretry: 1\n\n', ['one', 'two']],
  ['data:one\n\ndata:  two\n\ndata: \n\n', ['one', ' two', '']],
  ['data: one\n\nnothing data: x\n\n', ['one']],
  ['data: one\n\ndata: [DONE]', ['one', '[DONE]']],
];

test.each(STREAMS)('gives the events of %j however it is cut', (text, events) => {
  for (let first = 0; first <= text.length; first += 1) {
    for (let second = first; second <= text.length; second += 1) {
      expect(eventsOf([text.slice(0, first), text.slice(first, second), text.slice(second)])).toEqual(events);
    }
  }
});

test('bounds a line, and the data of an event, however they come', () => {
  const fits = `data: ${'x'.repeat(40)}\n\n`;
  expect(eventsOf([fits], 46)).toEqual(['x'.repeat(40)]);
  for (const text of [`data: ${'x'.repeat(101)}\n\n`, `data: ${'x'.repeat(60)}\ndata: ${'x'.repeat(60)}\n\n`]) {
    expect(() => eventsOf([text])).toThrow(expect.objectContaining({ code: 'upstream_too_long' }));
    expect(() => eventsOf([...text])).toThrow(expect.objectContaining({ code: 'upstream_too_long' }));
  }
});

import { expect, test } from 'vitest';
import type { MessageId, RunId, ThreadId } from './ids.ts';
import { answerIn, lineOf, logEvent, parseLines, type RunFact } from './run-event.ts';

const place = { runId: 'run' as RunId, answerId: 'answer' as MessageId, first: 1 };
const message_id = place.answerId;
const facts: readonly RunFact[] = [
  {
    ...{ type: 'run.started', thread_id: 'thread' as ThreadId, message_id: 'question' as MessageId, answer_id: message_id },
    ...{ model: 'demo', attempt: 1 },
  },
  { type: 'reasoning.appended', message_id, text: '[1,"no event"]' },
  { type: 'text.appended', message_id, text: 'One "line"\n\u2028', at: 0 },
  { type: 'text.appended', message_id, text: '{}', at: 12 },
  { type: 'run.cancelled' },
];
const events = facts.map((fact, index) => logEvent(place.runId, index + 1, fact));

test('text stands in the log without what its run and its place say', () => {
  expect(events.slice(1, 4).map(lineOf)).toEqual(['"[1,\\"no event\\"]"', '[0,"One \\"line\\"\\n\u2028"]', '[12,"{}"]']);
});

test('an event that is read back is the one that was written, from any line on, also to the order of its fields', () => {
  const lines = events.map(lineOf);
  for (let first = 1; first <= lines.length; first += 1) {
    const read = parseLines(lines.slice(first - 1), { ...place, first });
    expect(JSON.stringify(read)).toBe(JSON.stringify(events.slice(first - 1)));
  }
});

test('a log that was written when every line said all is read as it stands', () => {
  expect(
    parseLines(
      events.map((event) => JSON.stringify(event)),
      place,
    ),
  ).toEqual(events);
});

test('the first line says whose answer follows, and there is none where no run was started', () => {
  const [started, cancelled] = [0, 4].map((index) => JSON.stringify(events[index]));
  expect([answerIn(started ?? ''), answerIn(cancelled ?? '')]).toEqual([message_id, null]);
  expect(parseLines([cancelled ?? ''], { ...place, answerId: null })).toEqual([events[4]]);
});

import { expect, test } from 'vitest';
import { runningRun } from '../../../test/support/runs.ts';
import { logEvent, type RunFact } from '../../core/run-event.ts';
import { partsOf } from './answer.ts';
import { createLiveRun } from './live-run.ts';

const run = runningRun('run');
const message_id = run.answerId;
const facts: readonly RunFact[] = [
  { type: 'text.appended', message_id, text: 'I look. ', at: 0 },
  { type: 'node.entered', name: 'weather' },
  { type: 'reasoning.appended', message_id, text: 'Hm.' },
  { type: 'text.appended', message_id, text: 'It ', at: 8 },
  { type: 'text.appended', message_id, text: 'rains.', at: 11 },
];
const events = facts.map((fact, index) => logEvent(run.id, index + 2, fact));

test('gives committed events again as they were, from any offset', () => {
  const live = createLiveRun(run, () => {});
  live.commit(events.slice(0, 2));
  live.commit(events.slice(2));
  for (let after = 1; after <= 6; after += 1) expect(live.after(after, 10)).toEqual(events.slice(after - 1));
  expect(live.after(2, 2)).toEqual(events.slice(1, 3));
});

test('goes on behind the attempts before: their text counts, and is part of the answer', () => {
  const [started] = createLiveRun(run, () => {}).after(0, 1);
  if (!started) throw new Error('a run without a start');
  const live = createLiveRun(run, () => {}, [started, ...events]);
  expect([live.log.length, live.textLength]).toEqual([6, 17]);
  expect(live.after(1, 10)).toEqual(events);
  expect(partsOf(live)).toEqual([
    { type: 'text', text: 'I look. ' },
    { type: 'reasoning', text: 'Hm.' },
    { type: 'text', text: 'It rains.' },
  ]);
});

test('a page is bounded, but never empty', () => {
  const live = createLiveRun(run, () => {});
  const long = (offset: number) => logEvent(run.id, offset, { type: 'text.appended', message_id, text: 'x'.repeat(40_000), at: 0 });
  live.commit([long(2), long(3), long(4)]);
  expect(live.after(1, 10).map(({ offset }) => offset)).toEqual([2, 3]);
  expect(live.after(3, 10).map(({ offset }) => offset)).toEqual([4]);
});

import { describe, expect, it } from 'vitest';
import { storedMessage } from '../../../test/support/stub-engine.ts';
import type { Role } from '../../core/message.ts';
import type { IncomingMessage } from '../../engine/index.ts';
import { counts, newTurns } from './merge.ts';

function turn(role: Role, text: string): IncomingMessage {
  return { role, parts: [{ type: 'text', text }] };
}

const stored = [storedMessage(1, 'user', 'Tell me  a\nstory'), storedMessage(2, 'assistant', 'Once.\n\nUpon a time')];

describe('newTurns', () => {
  it('is the rest behind a stored prefix', () => {
    const next = turn('user', 'More');
    const answer = turn('assistant', 'Once. Upon a time');
    expect(newTurns(stored, [turn('user', ' Tell me a story\n'), answer, next])).toEqual([next]);
    expect(newTurns(stored, [turn('user', 'Tell me a story'), answer])).toEqual([]);
    expect(newTurns([], [next])).toEqual([next]);
  });

  it('knows an answer that lost its line breaks on the way', () => {
    const next = turn('user', 'More');
    expect(newTurns(stored, [turn('user', 'Tell me a story'), turn('assistant', 'Once.Upon a time'), next])).toEqual([next]);
  });

  it('is everything when the stored messages are no prefix', () => {
    for (const turns of [
      [turn('user', 'Hello')],
      [turn('user', 'Tell me a story')],
      [turn('user', 'Tellme a story'), turn('assistant', 'Once. Upon a time'), turn('user', 'x')],
      [turn('assistant', 'Tell me a story'), turn('assistant', 'Once. Upon a time'), turn('user', 'x')],
    ]) {
      expect(newTurns(stored, turns)).toEqual(turns);
    }
  });

  it('does not let empty answers break the comparison', () => {
    const next = turn('user', 'More');
    expect(newTurns([storedMessage(1, 'user', 'Hi')], [turn('user', 'Hi'), turn('assistant', ''), next])).toEqual([
      turn('assistant', ''),
      next,
    ]);
    expect(newTurns(stored.slice(0, 1), [turn('user', 'Tell me a story'), next])).toEqual([next]);
  });
});

describe('counts', () => {
  it('leaves out answers without success or text', () => {
    expect(counts(storedMessage(1, 'user', ''))).toBe(true);
    expect(counts(storedMessage(2, 'assistant', 'x'))).toBe(true);
    expect(counts(storedMessage(2, 'assistant', ' \n'))).toBe(false);
    expect(counts({ ...storedMessage(2, 'assistant', 'x'), status: 'failed' })).toBe(false);
    expect(counts({ ...storedMessage(2, 'assistant', 'x'), status: 'cancelled' })).toBe(false);
  });
});

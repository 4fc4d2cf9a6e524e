import { expect, test } from 'vitest';
import { unfitness } from './fitness.ts';

test.each([
  ['PostgreSQL 14', { number: 149_999, version: '14.99', encoding: 'UTF8' }, 'it is version 14.99, and 15 or newer is needed.'],
  ['PostgreSQL 9', { number: 90_624, version: '9.6.24', encoding: 'UTF8' }, 'it is version 9.6.24, and 15 or newer is needed.'],
  ['another encoding', { number: 150_000, version: '15.0', encoding: 'SQL_ASCII' }, expect.stringMatching(/encoding SQL_ASCII: create it/)],
  ['the oldest version that will do', { number: 150_000, version: '15.0', encoding: 'UTF8' }, null],
  ['a new version', { number: 180_001, version: '18.1 (Debian 18.1-1)', encoding: 'UTF8' }, null],
])('%s is judged', (_which, facts, reason) => {
  expect(unfitness(facts)).toEqual(reason);
});

import { expect, test } from 'vitest';
import { doors } from '../../src/app.ts';
import { dialectContract } from '../contracts/dialect.ts';
import { allDoors, houseDoors } from './doors.ts';

test('every front door of the house is described', () => {
  expect(houseDoors.map(({ dialect }) => dialect)).toEqual(doors);
});

for (const door of allDoors) dialectContract(door);

import { expect, test } from 'vitest';
import { doors } from '../../src/app.ts';
import { dialectContract } from '../contracts/dialect.ts';
import { allDoors, houseDoors } from './doors.ts';

test('every front door of the house is described', () => {
  // A door on a WebSocket has no HTTP routes to hold to this suite; its own tests ask the same of its frames.
  const byHttp = doors.filter(({ name }) => name !== 'chat-ws');
  expect(houseDoors.map(({ dialect }) => dialect)).toEqual(byHttp);
});

for (const door of allDoors) dialectContract(door);

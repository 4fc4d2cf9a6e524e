import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { doors } from '../../src/app.ts';
import { dialectContract } from '../contracts/dialect.ts';
import { proofStores } from '../support/proof-stores.ts';
import { chatWsCases } from './chat-ws-cases.ts';
import { startDoorHouse } from './door-client.ts';
import { allDoors, houseDoors } from './doors.ts';

const projectRoot = new URL('../../', import.meta.url);

test('every front door of the house is described', () => {
  // A door on a WebSocket has no HTTP routes to hold to this suite; the next test says where its frames are held to it.
  const byHttp = doors.filter(({ name }) => name !== 'chat-ws');
  expect(houseDoors.map(({ dialect }) => dialect)).toEqual(byHttp);
});

test('every case of the contract is asked of the chat socket too, by a test that is there', async ({ task }) => {
  const suites = task.file.tasks.flatMap((suite) => (suite.type === 'suite' ? [suite.tasks.map(({ name }) => name)] : []));
  expect(suites.length).toBeGreaterThanOrEqual(allDoors.length);
  for (const cases of suites) expect(Object.keys(chatWsCases)).toEqual(cases);
  for (const [file, title] of Object.values(chatWsCases).flat()) {
    const source = await readFile(new URL(file, projectRoot), 'utf8');
    const calls = ["'", '"', '`'].map((quote) => `(${quote}${title}`);
    expect(
      calls.some((call) => source.includes(call)),
      `${file} has no test "${title}"`,
    ).toBe(true);
  }
});

test('an unknown address below the chat socket is answered in native words', async () => {
  const house = await startDoorHouse();
  try {
    const response = await house.app.send('/chat/ws/no/such/address');
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ status: 404, code: 'route_not_found' });
  } finally {
    await house.close();
  }
});

for (const store of await proofStores()) {
  for (const door of allDoors) dialectContract(door, store);
}

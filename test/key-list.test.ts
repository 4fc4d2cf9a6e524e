import { expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import { runForJson } from './support/command.ts';

test('keys list shows every key, however many pages they are', async () => {
  const app = await startTestApp();
  await Promise.all(Array.from({ length: 503 }, (_, index) => app.key({ name: `key ${index}` })));
  const place = { directory: app.dataDir, env: { DATA_DIR: app.dataDir } };
  const keys = await runForJson<readonly { name: string }[]>(place, ['keys', 'list', '--application', 'default']);
  expect(new Set(keys.map(({ name }) => name)).size).toBe(503);
  expect(keys).toHaveLength(503);
  await app.close();
});

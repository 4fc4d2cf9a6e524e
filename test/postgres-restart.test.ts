import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, notYetAsked, readAt } from './proofs/attach.ts';
import { type Door, get, NATIVE, openPlace, type Question, questionRequest } from './proofs/doors.ts';
import { createReading } from './proofs/reading.ts';
import { createProblems } from './proofs/report.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { findPostgres, type PostgresServer, startPostgresServer } from './support/postgres-server.ts';
import { sendRaw } from './support/raw-http.ts';
import { expectedText, questionText } from './support/seeded-answer.ts';
import { type SeededModel, startSeededModel } from './support/seeded-model.ts';

const programs = findPostgres();
const READERS: readonly Door[] = ['native', 'levia', 'chat-ws'];
/** Text that every reader has before the first restart, and that is written between two of them. */
const STEP_CHARACTERS = 100;
const RESTARTS = 2;

describe.skipIf(programs === null)('two servers on one PostgreSQL that goes down', () => {
  let postgres: PostgresServer;
  let model: SeededModel;
  let servers: readonly [TestApp, TestApp];

  beforeAll(async () => {
    postgres = await startPostgresServer(programs ?? '');
    model = await startSeededModel();
    const env = { OPENAI_BASE_URL: model.baseUrl, LOG_LEVEL: 'error' };
    const start = () => startTestApp({ env, databaseUrl: postgres.url });
    servers = [await start(), await start()];
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await model.close();
    await postgres.stop();
  });

  test.each([
    ['SIGQUIT', 1],
    ['SIGKILL', 2],
  ] as const)(
    'after %s the readers at the server that does not write have the whole text, once and in order, on the connection they had',
    async (signal, seed) => {
      const [writing, reading] = servers;
      const problems = createProblems();
      const user = `reader-${signal}`;
      const seeded = { seed, tokens: 1_200, delayMs: 10, perWrite: 1 };
      const here = { url: writing.url, user };
      const there = { url: reading.url, user };
      const place = await openPlace('native', here);
      const question: Question = { door: 'native', caller: here, place, text: questionText(seeded), key: `restart-${signal}` };
      const started = await sendRaw(questionRequest({ ...question, door: 'native' }));
      expect(started.status, started.text).toBe(202);
      const runId = String(started.headers['x-run-id']);

      const asked = READERS.map((door): Asked & { door: Door } => ({
        ...notYetAsked({ ...question, caller: there }, createReading(problems, `${signal}: reader at ${door}`)),
        runId,
        threadId: place,
        door,
      }));
      const readings = asked.map((one) => readAt(one.door, one, { problems }));
      for (let restart = 1; restart <= RESTARTS; restart += 1) {
        const enough = asked.map((one) => one.reading.text.length + STEP_CHARACTERS);
        await expect
          .poll(() => asked.every((one, index) => one.reading.text.length >= (enough[index] ?? 0)), { timeout: 20_000, interval: 20 })
          .toBe(true);
        expect(asked.every((one) => one.reading.end === null)).toBe(true);
        await postgres.restart(signal);
      }
      const answers = await Promise.all(readings);
      expect(answers.map(({ status, stopped }) => [status, stopped])).toEqual(READERS.map(() => [200, 'complete']));
      for (const { reading: read, door } of asked) {
        expect(read.end, door).toBe('completed');
        expect(read.text, door).toBe(expectedText(seeded));
      }
      expect(problems.list).toEqual([]);
      expect(model.callsOf(seeded.seed)).toBe(1);
      const shown = JSON.parse((await get(there, `${NATIVE}/runs/${runId}`)).text) as { status: string };
      expect(shown.status).toBe('completed');
    },
    90_000,
  );
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { childrenOf, environmentOf, isRunning, peakUntil, residentBytes, until } from '../../../test/support/child-processes.ts';
import { createDocumentFolder, type DocumentFolder } from '../../../test/support/document-folder.ts';
import { endlessPage } from '../../../test/support/endless-page.ts';
import { createFakeClock, type FakeClock, settle } from '../../../test/support/fake-clock.ts';
import { inflatingPdf, lockedPdf } from '../../../test/support/hostile-pdfs.ts';
import { textPdf } from '../../../test/support/pdf-documents.ts';
import type { Extractor } from '../../core/ports/extractor.ts';
import { createExtractor } from './create-extractor.ts';

const READER = 'extractors/reader';
const never = new AbortController().signal;

let folder: DocumentFolder;
let clock: FakeClock;
let extractor: Extractor;
beforeAll(() => {
  folder = createDocumentFolder();
});
afterAll(() => folder.remove());
beforeEach(() => {
  clock = createFakeClock();
  extractor = createExtractor({ clock, idleMs: 60_000, maxWaitingPerOwner: 1 });
});
afterEach(() => extractor.close());

const readers = () => childrenOf(process.pid, READER);
const read = (bytes: Buffer, signal = never) => extractor.extract({ file: folder.put(bytes), type: 'pdf', signal });
const page = textPdf(['a page']);
/** Keeps a reader busy for as long as a test lasts: the clock that would end it stands. */
const readEndless = (signal = never) => extractor.extract({ file: folder.put(endlessPage()), type: 'html', signal });
/** Waits until a reader holds the document that keeps it busy; without one it has 65 MB. */
const untilWorking = (reader: number) => until(() => residentBytes(reader) > 95_000_000);

test('nothing runs before the first document; one process serves many, and ends when none comes', async () => {
  expect(readers()).toEqual([]);
  await read(page);
  const [first] = readers();
  await read(page);
  expect(readers()).toEqual([first]);
  clock.advance(59_000);
  await read(page);
  clock.advance(59_000);
  expect(readers()).toEqual([first]);
  clock.advance(1_000);
  await until(() => readers().length === 0);
  await read(page);
  expect(readers()).not.toEqual([first]);
});

test('a process that met a bad document gets no other', async () => {
  await read(page);
  const [first] = readers();
  await expect(read(lockedPdf())).rejects.toMatchObject({ reason: 'encrypted' });
  expect(readers()).toEqual([]);
  await read(page);
  expect(readers()).not.toContain(first);
});

test('a process that somebody ended is replaced', async () => {
  await read(page);
  const [first = 0] = readers();
  process.kill(first, 'SIGKILL');
  await until(() => readers().length === 0);
  expect((await read(page)).pages).toEqual(['a page']);
});

test('a process that waits and does not answer any more is replaced', async () => {
  await read(page);
  const [first = 0] = readers();
  process.kill(first, 'SIGSTOP');
  const reading = read(page);
  await settle();
  clock.advance(5_000);
  expect((await reading).pages).toEqual(['a page']);
  expect(readers()).not.toContain(first);
});

test('a process that dies of its document says too complex', async () => {
  const reading = readEndless();
  await until(() => readers().length === 1);
  const [reader = 0] = readers();
  const outcome = expect(reading).rejects.toMatchObject({ reason: 'too_complex' });
  await untilWorking(reader);
  process.kill(reader, 'SIGABRT');
  await outcome;
});

test('a process guards itself where the server cannot look', async () => {
  const reading = expect(read(inflatingPdf(3000))).rejects.toMatchObject({ reason: 'too_complex' });
  // Time stands, so the server measures nothing; left alone the document takes 2 GB.
  expect(await peakUntil(reading, READER)).toBeLessThan(1_400_000_000);
}, 90_000);

test('who gives up has the process ended or leaves the queue', async () => {
  const giveUp = new AbortController();
  const reading = expect(readEndless(giveUp.signal)).rejects.toThrow('left');
  await until(() => readers().length === 1);
  const waiting = expect(read(page, giveUp.signal)).rejects.toThrow('left');
  await expect(read(page)).rejects.toMatchObject({ code: 'overloaded' });
  giveUp.abort(new Error('left'));
  await reading;
  await waiting;
  expect(readers()).toEqual([]);
  expect((await read(page)).pages).toEqual(['a page']);
});

test('closing ends what runs and what waits, and lets nothing begin', async () => {
  const reading = expect(readEndless()).rejects.toMatchObject({ code: 'draining' });
  const waiting = expect(read(page)).rejects.toMatchObject({ code: 'draining' });
  await until(() => readers().length === 1);
  const [reader = 0] = readers();
  await extractor.close();
  expect(existsSync(`/proc/${reader}`)).toBe(false);
  await reading;
  await waiting;
  await expect(read(page)).rejects.toMatchObject({ code: 'draining' });
});

test('the process has no secrets of the environment and stands far from the data', async () => {
  process.env.EXTRACTOR_CANARY = 'secret';
  try {
    await read(page);
  } finally {
    delete process.env.EXTRACTOR_CANARY;
  }
  const [reader = 0] = readers();
  expect(isRunning(reader)).toBe(true);
  expect(environmentOf(reader)).not.toContain('secret');
  expect(readlinkSync(`/proc/${reader}/cwd`)).toBe('/');
  for (const stream of [0, 1, 2]) expect(readlinkSync(`/proc/${reader}/fd/${stream}`)).toBe('/dev/null');
});

test('a signal to the whole group, as Ctrl-C sends it, is left to the server', async () => {
  await read(page);
  const [reader = 0] = readers();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(reader, signal);
  await read(page);
  expect(readers()).toEqual([reader]);
});

test('a process deep in a document ends with its server', async () => {
  const file = folder.put(endlessPage());
  const program = fileURLToPath(new URL('../../../test/support/endless-reading.ts', import.meta.url));
  const server = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const { pid = 0 } = server;
    await until(() => childrenOf(pid, READER).length === 1);
    const [reader = 0] = childrenOf(pid, READER);
    await untilWorking(reader);
    server.kill('SIGKILL');
    await once(server, 'exit');
    await until(() => !isRunning(reader));
  } finally {
    server.kill('SIGKILL');
  }
});

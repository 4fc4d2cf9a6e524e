import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { cannotMeasure } from '../../bench/machine.ts';
import { cpuSecondsOf, familyOf, rssOf, strangerSeconds, threadsOf } from '../../bench/process-usage.ts';

const notHere = cannotMeasure() !== null;
if (notHere) process.stderr.write(`${cannotMeasure()}\n`);

/** Uses 0.2 s of a processor, however long that takes. */
const BURN = 'const begun = process.cpuUsage(); while (process.cpuUsage(begun).user < 200_000);';
const LEAST = 0.15;
const IN_A_THREAD = `
  const { Worker } = require('node:worker_threads');
  const worker = new Worker(${JSON.stringify(`${BURN} require('node:worker_threads').parentPort.on('message', () => {}).postMessage(1);`)}, { eval: true });
  worker.once('message', () => { ${BURN} console.log('done'); });
`;

let started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started = [];
});

/** Starts a program that says when it has done its work and then stays. */
async function startAndWait(program: string, [command, ...args]: readonly string[] = [process.execPath, '-e']): Promise<number> {
  const child = spawn(String(command), [...args, program], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

const STAYING = `${BURN} console.log('done'); setInterval(() => {}, 1000);`;

test.skipIf(notHere)('a process counts with all its descendants, and what they used stays when they end', async () => {
  const before = cpuSecondsOf(process.pid);
  const shell = await startAndWait(`"${process.execPath}" -e "${STAYING}"; true`, ['/bin/sh', '-c']);
  expect(familyOf(shell)).toHaveLength(2);
  expect(cpuSecondsOf(shell)).toBeGreaterThan(LEAST);
  expect(rssOf(familyOf(shell))).toBeGreaterThan(20e6);
  const descendant = familyOf(shell).find((pid) => pid !== shell);
  process.kill(Number(descendant), 'SIGKILL');
  await once(started[0] as ChildProcess, 'exit');
  expect(cpuSecondsOf(process.pid) - before).toBeGreaterThan(LEAST);
});

test.skipIf(notHere)('what others use is counted as theirs', async () => {
  const before = strangerSeconds();
  // Nobody's child when the shell has ended; it says its id when its work is done.
  const work = `${BURN} console.log(process.pid); setInterval(() => {}, 1000);`;
  const shell = spawn('/bin/sh', ['-c', `"${process.execPath}" -e "${work}" &`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [[said]] = await Promise.all([once(shell.stdout, 'data'), once(shell, 'exit')]);
  const seconds = strangerSeconds() - before;
  process.kill(Number(String(said)), 'SIGKILL');
  expect(seconds).toBeGreaterThan(LEAST);
});

test.skipIf(notHere)("a worker thread's time is told apart from the main thread's", async () => {
  const { main, workers } = threadsOf(await startAndWait(IN_A_THREAD));
  expect({ main: main > LEAST, workers: workers > LEAST }).toEqual({ main: true, workers: true });
});

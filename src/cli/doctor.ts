import { loadConfig } from '../config.ts';
import type { Finding } from '../http/control-wire.ts';
import { askServer } from './administration.ts';
import { examineStopped } from './doctor/examine.ts';
import { print } from './print.ts';
import { toVisible } from './table.ts';

const STOPPED_MS = 30_000;

/** Prints what the running server finds out about itself, else what a start would find; sets exit code 1 when something fails. */
export async function printFindings(json: boolean | undefined): Promise<void> {
  const findings = await examine();
  await print(findings, { json, words: findings.map(lineOf).join('') });
  if (findings.some(({ level }) => level === 'fail')) process.exitCode = 1;
}

async function examine(): Promise<readonly Finding[]> {
  const answer = await askServer<{ readonly data: readonly Finding[] }>({ method: 'GET', path: '/findings' });
  if (answer !== null) return answer.data;
  const config = loadConfig({ env: process.env, cwd: process.cwd() });
  return examineStopped(config, AbortSignal.timeout(STOPPED_MS));
}

function lineOf({ level, subject, message, advice }: Finding): string {
  const line = `${level.padEnd(5)} ${subject.padEnd(9)} ${toVisible(message)}\n`;
  return advice === null ? line : `${line}${' '.repeat(16)}${toVisible(advice)}\n`;
}

import { readFileSync } from 'node:fs';
import { findPostgres, startPostgresServer } from '../test/support/postgres-server.ts';
import { moveTo } from './processors.ts';
import type { Database } from './scenario.ts';

/** Starts a PostgreSQL server of the bench's own on any processor, with more in its environment. */
export async function openDatabase(env: Readonly<Record<string, string>> = {}): Promise<Database> {
  const programs = findPostgres();
  if (programs === null) throw new Error('There is no PostgreSQL here: npm ci installs one, apt install postgresql another.');
  Object.assign(process.env, env);
  moveTo('anywhere');
  try {
    const server = await startPostgresServer(programs);
    const socket = new URL(server.url.replace('@/', '@localhost/')).searchParams.get('host') ?? '';
    const pid = Number(readFileSync(`${socket}/data/postmaster.pid`, 'utf8').split('\n')[0]);
    return { url: server.url, pid, stop: () => server.stop() };
  } finally {
    moveTo('upstream');
    for (const name of Object.keys(env)) delete process.env[name];
  }
}

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { missing } from './requirements.ts';

const { TEST_DATABASE_URL } = process.env;

/** Address of a PostgreSQL server on which tests may create databases: TEST_DATABASE_URL, else the run's own; null (said loudly) without one. */
export async function findTestServer(): Promise<string | null> {
  if (TEST_DATABASE_URL !== undefined && TEST_DATABASE_URL !== '') return TEST_DATABASE_URL;
  const answer = await fetch(inject('postgresDesk'));
  const text = await answer.text();
  if (answer.ok) return text;
  if (answer.status !== 404) throw new Error(text);
  missing('there is no PostgreSQL for this platform: install Debian\'s "postgresql", or set TEST_DATABASE_URL');
  return null;
}

/** A new, empty database; `drop` ends every connection to it. */
export async function createTestDatabase(server: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `polylogue_test_${randomBytes(6).toString('hex')}`;
  await queryDatabase(server, `create database ${name} template template0 encoding 'UTF8'`);
  return {
    url: databaseUrl(server, name),
    drop: async () => void (await queryDatabase(server, `drop database if exists ${name} with (force)`)),
  };
}

/** Runs one statement on a connection of its own. */
export async function queryDatabase(url: string, statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

function databaseUrl(server: string, name: string): string {
  return server.replace(/^(\w+:\/\/[^/]*)\/[^?]*/, `$1/${name}`);
}

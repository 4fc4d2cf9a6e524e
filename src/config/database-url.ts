import { ConfigError } from './config-error.ts';
import { type Environment, variable } from './environment.ts';

/** The PostgreSQL address in DATABASE_URL, null without one. An error never repeats it, because it holds the password. */
export function readDatabaseUrl(env: Environment): string | null {
  const text = variable(env, 'DATABASE_URL');
  if (text === null) return null;
  if (!/^postgres(ql)?:\/\//i.test(text) || !isAddress(text)) {
    throw new ConfigError(
      'DATABASE_URL must look like postgresql://user:password@host:5432/database (special characters in the password %-encoded).',
    );
  }
  return text;
}

function isAddress(text: string): boolean {
  // A Unix socket is named by the query (`?host=/run/postgresql`); the place of the host is empty then.
  const url = URL.parse(text.replace('@/', '@socket/'));
  if (url === null) return false;
  try {
    return [url.username, url.password, url.pathname].every((part) => decodeURIComponent(part) !== '' || part === '');
  } catch {
    return false;
  }
}

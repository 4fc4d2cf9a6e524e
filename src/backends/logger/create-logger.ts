import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { createBufferedOutput } from './buffered-output.ts';
import { redactCredentials } from './redact-credentials.ts';
import { serializeError } from './serialize-error.ts';

interface LoggedRequest {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly url?: unknown;
}

/** A request in the log: its query string (which may carry a key), its headers and its body stay out. */
function serializeRequest(request: LoggedRequest) {
  const path = typeof request.url === 'string' ? request.url.replace(/[?#].*$/s, '') : undefined;
  return { id: request.id, method: request.method, path };
}

const serializers = { req: serializeRequest, err: (error: unknown) => serializeError(error) };
const serialized: ReadonlySet<string> = new Set(Object.keys(serializers));

/**
 * One JSON object per line, by default on standard output; `time` is milliseconds since 1970. Give requests as `req`
 * and errors as `err`: these are the forms that keep secrets and texts of users out.
 */
export function createLogger(level: LoggerOptions['level'] & string, destination: DestinationStream = createBufferedOutput()): Logger {
  // Pino's own redaction reads its list of paths anew for every line.
  return pino({ level, formatters: { log: (fields) => redactCredentials(fields, serialized) }, serializers }, destination);
}

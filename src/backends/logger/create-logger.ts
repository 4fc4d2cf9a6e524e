import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { serializeError } from './serialize-error.ts';

/** Header names that carry credentials, where a logged object may hold them. */
const SECRET_HEADERS = ['authorization', '["x-api-key"]', 'cookie', '["set-cookie"]', '["sec-websocket-protocol"]'];
const HOLDERS = ['', 'headers', '*.headers', 'req.raw.headers'];

const redact = {
  paths: HOLDERS.flatMap((holder) =>
    SECRET_HEADERS.map((name) => (name.startsWith('[') || holder === '' ? `${holder}${name}` : `${holder}.${name}`)),
  ),
  censor: '[redacted]',
};

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

/**
 * One JSON object per line, by default on standard output; `time` is milliseconds since 1970. Give requests as `req`
 * and errors as `err`: these are the forms that keep secrets and texts of users out.
 */
export function createLogger(level: LoggerOptions['level'] & string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    redact,
    serializers: { req: serializeRequest, err: (error: unknown) => serializeError(error) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

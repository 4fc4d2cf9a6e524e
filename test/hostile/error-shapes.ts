import { headerOf, type RawAnswer } from './byte-exchange.ts';

/** What is wrong with an error body; null when it has its dialect's shape. */
type ShapeCheck = (body: Readonly<Record<string, unknown>>, answer: RawAnswer) => string | null;

const problem: ShapeCheck = (body, answer) => {
  const { type, title, status, detail, code, request_id, errors, ...rest } = body;
  const texts = [type, title, detail, code, request_id].every((value) => typeof value === 'string' && value !== '');
  if (!texts || Object.keys(rest).length > 0) return 'is no problem document';
  if (status !== answer.status) return 'says another status';
  if (request_id !== headerOf(answer, 'x-request-id')) return 'says another request id';
  if (errors !== undefined && !Array.isArray(errors)) return 'has errors that are no list';
  return headerOf(answer, 'content-type')?.startsWith('application/problem+json') ? null : 'has the wrong content type';
};

function isJson(answer: RawAnswer): boolean {
  return headerOf(answer, 'content-type') === 'application/json; charset=utf-8';
}

/** How each dialect words a failure, by its name; `''` is for addresses that belong to none. A new dialect has its line here. */
const shapes: Readonly<Record<string, ShapeCheck>> = {
  '': problem,
  native: problem,
  levia: ({ status, message, ...rest }, answer) =>
    status === 'error' && typeof message === 'string' && message !== '' && Object.keys(rest).length === 0 && isJson(answer)
      ? null
      : 'is not levia',
  'chat-sessions': ({ detail, code, errors, ...rest }, answer) => {
    const texts = [detail, code].every((value) => typeof value === 'string' && value !== '');
    if (!texts || Object.keys(rest).length > 0 || !isJson(answer)) return 'is not chat-sessions';
    const entries = errors === undefined ? [] : (errors as Readonly<Record<string, unknown>>[]);
    return entries.every(({ loc, msg, type }) => Array.isArray(loc) && typeof msg === 'string' && typeof type === 'string')
      ? null
      : 'has malformed errors';
  },
  'chat-ws': ({ type, message, code, ...rest }, answer) => {
    const texts = [message, code].every((value) => typeof value === 'string' && value !== '');
    return type === 'error' && texts && Object.keys(rest).length === 0 && isJson(answer) ? null : 'is not chat-ws';
  },
  graph: ({ detail, ...rest }, answer) => {
    if (Object.keys(rest).length > 0 || !isJson(answer)) return 'is not graph';
    if (answer.status !== 422) return typeof detail === 'string' && detail !== '' ? null : 'has no detail';
    const entries = Array.isArray(detail) ? (detail as Readonly<Record<string, unknown>>[]) : [];
    const sound = entries.every(
      ({ type, loc, msg, input }) => typeof type === 'string' && Array.isArray(loc) && typeof msg === 'string' && input !== undefined,
    );
    return entries.length > 0 && sound && JSON.stringify(entries).length < 20_000 ? null : 'has malformed details';
  },
  'user-chat': ({ success, detail, error, code, details, ...rest }, answer) => {
    const words = typeof detail === 'string' && detail !== '' && error === detail;
    if (success !== false || !words || Object.keys(rest).length > 0 || !isJson(answer)) return 'is not user-chat';
    if (!/^[A-Z_]+_\d{3}$/.test(String(code))) return 'has no code';
    return details === undefined || (typeof details === 'object' && details !== null) ? null : 'has malformed details';
  },
};

const LEAKS = /node_modules|\bat .*\.ts:|\/src\/|SQLITE|select .* from|ECONN|FST_ERR|stack/i;

/** What is wrong with an error answer of this dialect; null when it is as it should be and gives nothing away. */
export function shapeProblem(dialect: string, answer: RawAnswer): string | null {
  const check = shapes[dialect];
  if (!check) return `has no shape: give test/hostile/error-shapes.ts a line for ${dialect}`;
  if (headerOf(answer, 'x-request-id') === null) return 'has no request id';
  if (LEAKS.test(answer.body)) return `gives away ${LEAKS.exec(answer.body)?.[0]}`;
  try {
    return check(JSON.parse(answer.body), answer);
  } catch (error) {
    if (error instanceof SyntaxError) return 'is no JSON';
    throw error;
  }
}

import { AppError } from '../../core/errors.ts';

/** Body of POST `/create`. */
export interface CreateBody {
  readonly user_id: string;
}

/** Body of POST `/levia/chat`. */
export interface ChatBody extends CreateBody {
  readonly intent: string;
  readonly session_id: string;
}

/** Reads a `create` body; the first field that is missing or no text is `validation_failed`. */
export function readCreateBody(body: unknown): CreateBody {
  const fields = fieldsOf(body);
  return { user_id: textField(fields, 'user_id') };
}

/** Reads a `chat` body; the first field that is missing or no text is `validation_failed`. */
export function readChatBody(body: unknown): ChatBody {
  const fields = fieldsOf(body);
  return { user_id: textField(fields, 'user_id'), intent: textField(fields, 'intent'), session_id: textField(fields, 'session_id') };
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new AppError('body_not_object', 'The body must be a JSON object.');
}

function textField(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null || value === '') throw invalid(name, `Missing ${name} parameter`, 'required');
  if (typeof value !== 'string') throw invalid(name, `The ${name} parameter must be a string`, 'type');
  return value;
}

function invalid(name: string, message: string, keyword: string): AppError {
  return new AppError('validation_failed', message, { fields: [{ path: [name], message, keyword }] });
}

import { AppError } from '../core/errors.ts';

/** The field of a form in which its file is. */
export const FILE_FIELD = 'file';

/** Another body than a form, in words for its sender. */
export function notAForm(): AppError {
  return new AppError('content_type_unsupported', 'Send the file as "Content-Type: multipart/form-data", in the field "file".');
}

/** A body that is not as a form must be. */
export function formUnreadable(cause?: unknown): AppError {
  return new AppError('body_invalid', 'The multipart body is malformed.', { cause });
}

/** A form without a file, in words for its sender. */
export function fileMissing(): AppError {
  return formInvalid(FILE_FIELD, 'is required', 'required');
}

/** A field of a form that is wrong; some have no name. */
export function formInvalid(field: string | undefined, message: string, keyword: string): AppError {
  const shown = (field ?? '').slice(0, 100).toWellFormed() || 'A field without a name';
  return new AppError('validation_failed', `${shown} ${message}.`, { fields: [{ path: [shown], message, keyword }] });
}

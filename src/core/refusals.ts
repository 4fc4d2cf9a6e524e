import { MAX_FILE_BYTES, MAX_FILES_PER_THREAD } from './attachment.ts';
import { AppError } from './errors.ts';
import type { Rate, RateState } from './limits.ts';
import type { DocumentType, ExtractionError, ExtractionFailure } from './ports/extractor.ts';
import { MAX_TAGS } from './thread.ts';

const SHOWN_NAME = 100;
const RETRY_SECONDS = 5;

/** The API key behind a request was revoked, or what proves its token ended, while the request was under way. */
export function credentialRevoked(): AppError {
  return new AppError('auth_revoked', 'The API key or token was revoked.');
}

/** The server has more to do than it gets done: what would only wait is turned away. `retryAfterSeconds` is an estimate. */
export function serverBusy(): AppError {
  return new AppError('overloaded', 'The server has too much to do right now; send this again in a few seconds', {
    retryAfterSeconds: RETRY_SECONDS,
  });
}

/** No thread of the owner has that id. */
export function threadNotFound(): AppError {
  return new AppError('thread_not_found', 'There is no such thread');
}

/** The thread has no message of that id. */
export function messageNotFound(): AppError {
  return new AppError('message_not_found', 'There is no such message in this thread');
}

/** The thread would have more tags than it may. */
export function tooManyTags(): AppError {
  const message = `would be more than the ${MAX_TAGS} that a thread may have`;
  return new AppError('validation_failed', `tags ${message}.`, { fields: [{ path: ['tags'], message, keyword: 'maxItems' }] });
}

/** No file of the owner has that id. */
export function fileNotFound(): AppError {
  return new AppError('file_not_found', 'There is no such file');
}

/** A file of a type that cannot be added here. */
export function fileTypeUnsupported(types: readonly DocumentType[]): AppError {
  const names = types.map((type) => TYPE_NAMES[type]);
  const last = names.at(-1) ?? 'no';
  const list = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last}` : last;
  return new AppError('file_type_unsupported', `Only ${list} files are supported; what counts is what is in the file, not its name`);
}

const TYPE_NAMES: Readonly<Record<DocumentType, string>> = {
  pdf: 'PDF',
  docx: 'Word (DOCX)',
  html: 'HTML',
  markdown: 'Markdown',
  csv: 'CSV',
  text: 'plain text',
};

/** A file of more bytes than may be added. */
export function fileTooLarge(): AppError {
  return new AppError('file_too_large', `The file is too large: ${MAX_FILE_BYTES} bytes is the most`);
}

/** A file without text that could be had; the cause tells the reason apart. */
export function fileUnreadable(failure: ExtractionError): AppError {
  return new AppError('file_unreadable', `The text of this file cannot be read: ${extractionWords(failure.reason)}`, { cause: failure });
}

/** Why a text cannot be had, in a word or two. */
export function extractionWords(reason: ExtractionFailure): string {
  switch (reason) {
    case 'encrypted':
      return 'encrypted';
    case 'damaged':
      return 'damaged';
    case 'too_complex':
      return 'too complex';
    case 'no_text':
      return 'no text';
  }
}

/** As many files of a user come in at once as may. */
export function uploadsExceeded(limit: number): AppError {
  return new AppError('too_many_uploads', `Too many uploads: ${limit} files may come in at once. Send this again when one has ended`, {
    retryAfterSeconds: RETRY_SECONDS,
    rate: { name: 'uploads', limit, remaining: 0, resetMs: RETRY_SECONDS * 1000 },
  });
}

/** The thread holds as many files as it may. */
export function threadFull(): AppError {
  return new AppError('state_conflict', `A thread holds ${MAX_FILES_PER_THREAD} files at most; delete one first`);
}

/** All files of a user take as much as they may. */
export function filesFull(): AppError {
  return new AppError('state_conflict', 'Your files take as much room as they may; delete some first');
}

/** No run of the owner has that id. */
export function runNotFound(): AppError {
  return new AppError('run_not_found', 'There is no such run');
}

/** Neither the owner nor the server has a prompt of that id. */
export function promptNotFound(): AppError {
  return new AppError('prompt_not_found', 'There is no such prompt');
}

/** The prompt never had a version of that number, or it is so old that it is no longer kept. */
export function versionNotFound(): AppError {
  return new AppError('version_not_found', 'The prompt has no such version, or no longer');
}

/** Templates are for everybody, so nobody changes them. */
export function templateReadOnly(): AppError {
  return new AppError('template_read_only', 'Cannot modify system templates');
}

/** The application has no key of that id. */
export function keyNotFound(): AppError {
  return new AppError('key_not_found', 'There is no such API key');
}

/** The catalogue has no model of that name. */
export function modelUnknown(name: string): AppError {
  return new AppError('model_unknown', `There is no model named ${name.slice(0, SHOWN_NAME)}`);
}

/** No agent has that name. */
export function agentUnknown(name: string): AppError {
  return new AppError('agent_unknown', `There is no agent named ${name.slice(0, SHOWN_NAME)}`);
}

/** Neither the application nor the server has an agent of that id. */
export function agentNotFound(): AppError {
  return new AppError('agent_not_found', 'There is no such agent');
}

/** The run never asked for the approval of such a call. */
export function approvalNotFound(): AppError {
  return new AppError('approval_not_found', 'No call of that id waits for an approval in this run');
}

/** The run called its model as often as its agent may. */
export function stepLimitReached(steps: number): AppError {
  return new AppError('step_limit', `The agent has called its model ${steps} times, which is its step limit, and was not done`);
}

/** The key of a repeated request came with another request before. */
export function repeatMismatch(): AppError {
  return new AppError('idempotency_mismatch', 'This Idempotency-Key was used with another request');
}

/** The window of a rate is used up; `excess` says what is too much. */
export function rateExceeded(excess: string, rate: Rate, state: RateState): AppError {
  const seconds = Math.max(1, Math.ceil(state.resetMs / 1000));
  const allowed = `${rate.points} in ${rate.seconds} seconds are allowed`;
  return new AppError('rate_limited', `${excess}: ${allowed}. Send this again in ${seconds} seconds`, {
    retryAfterSeconds: seconds,
    rate: { ...state, remaining: 0 },
  });
}

/** As many connections are open as the named bound allows. */
export function connectionsExceeded({ name, limit }: { readonly name: string; readonly limit: number }): AppError {
  return new AppError('too_many_connections', `Too many connections: ${limit} may be open at once. Close one first`, {
    retryAfterSeconds: RETRY_SECONDS,
    rate: { name, limit, remaining: 0, resetMs: RETRY_SECONDS * 1000 },
  });
}

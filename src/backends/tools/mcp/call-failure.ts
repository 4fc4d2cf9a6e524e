import type { SdkError } from '@modelcontextprotocol/client';
import { EgressError } from '../../../core/ports/egress.ts';
import { ToolError } from '../../../core/ports/tool.ts';

/** Why a request to a server failed, in words that a model may see. */
export interface CallFailure {
  readonly words: string;
  /** The server has not taken the request, so that it may be sent again over a new connection. */
  readonly again: boolean;
  /** The connection is of no more use. */
  readonly broken: boolean;
}

/** Longest quotation of a server's own words. */
const QUOTE_CHARACTERS = 2_000;
/** The server has forgotten the session (2025 revisions of the protocol, streamable HTTP). */
const NO_SUCH_SESSION = 404;
const CLOSED_CODE = -32_000;

/** Sorts what the SDK, the way there or the server itself rejected with. */
export function callFailure(error: unknown): CallFailure {
  if (error instanceof EgressError && error.code === 'destination_unreachable') return closed();
  if (error instanceof ToolError || error instanceof EgressError) return { words: error.message, again: false, broken: false };
  if (isProtocolError(error)) return protocolFailure(error);
  if (!isSdkError(error)) return failure("The tool's server cannot be reached.");
  switch (String(error.code)) {
    case 'REQUEST_TIMEOUT':
      return { words: 'The tool did not answer in time.', again: false, broken: false };
    case 'CONNECTION_CLOSED':
      return closed();
    case 'INVALID_RESULT':
    case 'UNSUPPORTED_RESULT_TYPE':
    case 'INPUT_REQUIRED_ROUNDS_EXCEEDED':
    case 'CAPABILITY_NOT_SUPPORTED':
      return { words: 'The tool answered in a way that is not supported here.', again: false, broken: false };
    case 'NOT_CONNECTED':
      return { ...failure("The tool's server cannot be reached."), again: true };
    default:
      return { ...failure("The tool's server cannot be reached."), again: statusOf(error) === NO_SUCH_SESSION };
  }
}

function protocolFailure(error: { readonly code: number; readonly message: string }): CallFailure {
  if (error.code === CLOSED_CODE && /connection closed/i.test(error.message)) return closed();
  return { words: `The tool refused the call: ${error.message.slice(0, QUOTE_CHARACTERS).toWellFormed()}`, again: false, broken: false };
}

function closed(): CallFailure {
  return failure("The tool's server did not answer or broke off: whether the call took effect is not known.");
}

function failure(words: string): CallFailure {
  return { words, again: false, broken: true };
}

/** By name, because the SDK is loaded only when a server is connected. */
function isProtocolError(error: unknown): error is { readonly code: number; readonly message: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

function isSdkError(error: unknown): error is SdkError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[A-Z_]+$/.test(error.code) &&
    error.name.startsWith('Sdk')
  );
}

function statusOf(error: SdkError): number | null {
  const data: unknown = error.data;
  return typeof data === 'object' && data !== null && 'status' in data && typeof data.status === 'number' ? data.status : null;
}

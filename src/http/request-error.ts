import { AppError, type ErrorCode, type FieldProblem } from '../core/errors.ts';

const MAX_PROBLEMS = 20;

/** One finding of Ajv, as Fastify hands it over. */
interface Finding {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** What a failure of any kind means to a caller; an unexpected one is `internal` with the original as its cause. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (typeof error !== 'object' || error === null) return internal(error);
  const { validation, validationContext, code, statusCode } = error as Record<string, unknown>;
  if (Array.isArray(validation)) return validationError(validation as Finding[], validationContext);
  const known = typeof code === 'string' ? frameworkCodes[code] : undefined;
  if (known) return new AppError(known[0], known[1], { cause: error });
  if (statusCode === 400) return new AppError('body_invalid', 'The request could not be read.', { cause: error });
  return internal(error);
}

const frameworkCodes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'The body is larger than this server takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['content_type_unsupported', 'Send the body as "Content-Type: application/json" in UTF-8.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['body_invalid', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: ['route_not_found', 'There is nothing at this address.'],
  FST_ERR_MAX_PARAM_LENGTH: ['route_not_found', 'There is nothing at this address.'],
  ERR_INVALID_CHAR: ['body_invalid', 'The request contains a character that HTTP does not allow.'],
};

function internal(cause: unknown): AppError {
  return new AppError('internal', 'Something went wrong on this server.', { cause });
}

function validationError(findings: readonly Finding[], context: unknown): AppError {
  if (context === 'body' && findings.some((finding) => finding.instancePath === '' && finding.keyword === 'type')) {
    return new AppError('body_not_object', 'The body must be a JSON object.');
  }
  const fields = findings.slice(0, MAX_PROBLEMS).map(problemOf);
  const [first] = fields;
  const detail = first ? `${first.path.join('.') || 'The request'} ${first.message}.` : 'The request is not valid.';
  return new AppError('validation_failed', detail, { fields });
}

function problemOf(finding: Finding): FieldProblem {
  const path = pathOf(finding.instancePath);
  const property = finding.params.missingProperty ?? finding.params.additionalProperty;
  if (typeof property === 'string') path.push(property);
  return { path, message: wordsOf(finding), keyword: finding.keyword };
}

function pathOf(pointer: string): (string | number)[] {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => (/^(0|[1-9]\d*)$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));
}

function wordsOf({ keyword, params, message }: Finding): string {
  switch (keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return 'is not a known field';
    case 'type':
      return `must be ${[params.type].flat().join(' or ')}`;
    case 'minLength':
    case 'maxLength':
      return `must have at ${keyword === 'minLength' ? 'least' : 'most'} ${String(params.limit)} characters`;
    case 'minItems':
    case 'maxItems':
      return `must have at ${keyword === 'minItems' ? 'least' : 'most'} ${String(params.limit)} entries`;
    case 'enum':
      return `must be one of ${[params.allowedValues].flat().map(String).join(', ')}`;
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case 'anyOf':
    case 'oneOf':
      return 'has none of the allowed forms';
    default:
      return message ?? 'is not valid';
  }
}

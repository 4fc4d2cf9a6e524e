import { AppError } from '../core/errors.ts';
import { parseTime } from './time.ts';

/** Reads query parameters one by one. A parameter given twice or malformed is `validation_failed`; a missing one is `null` or the default. */
export interface QueryReader {
  text(name: string, maxLength: number): string | null;
  /** Decimal digits only: no sign, white space, exponent or leading zero. */
  integer(name: string, range: { readonly min: number; readonly max: number; readonly default: number }): number;
  /** `true` or `false`. */
  flag(name: string): boolean | null;
  /** Milliseconds since 1970. */
  time(name: string): number | null;
  /** A parameter that may be repeated. */
  list(name: string, maxLength: number): readonly string[];
}

/** Reads the query that Fastify parsed for a request. */
export function createQueryReader(query: unknown): QueryReader {
  const values = query as Readonly<Record<string, string | readonly string[] | undefined>>;

  function single(name: string): string | null {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) return null;
    if (typeof value !== 'string') throw invalid(name, 'must be given once', 'type');
    return value;
  }

  return {
    text(name, maxLength) {
      const value = single(name);
      return value === null ? null : checkText(name, value, maxLength);
    },
    integer(name, range) {
      const value = single(name);
      if (value === null) return range.default;
      const number = /^(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : Number.NaN;
      if (number >= range.min && number <= range.max) return number;
      throw invalid(name, `must be a whole number from ${range.min} to ${range.max}`, 'range');
    },
    flag(name) {
      const value = single(name);
      if (value === null) return null;
      if (value !== 'true' && value !== 'false') throw invalid(name, 'must be true or false', 'type');
      return value === 'true';
    },
    time(name) {
      const value = single(name);
      if (value === null) return null;
      // In a query an unescaped plus, as in +02:00, arrives as a space.
      const time = parseTime(value.replace(/ (\d{2}:?\d{2})$/, (whole, zone) => (value.includes('T') ? `+${zone}` : whole)));
      if (time === null) throw invalid(name, 'must be a date or an RFC 3339 time', 'format');
      return time;
    },
    list(name, maxLength) {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      return [value ?? []].flat().map((item) => checkText(name, item, maxLength));
    },
  };
}

function checkText(name: string, value: string, maxLength: number): string {
  if (value.includes('\0') || !value.isWellFormed()) throw invalid(name, 'contains characters that are not allowed', 'unicode');
  if (value.length > maxLength) throw invalid(name, `must have at most ${maxLength} characters`, 'maxLength');
  return value;
}

function invalid(name: string, message: string, keyword: string): AppError {
  return new AppError('validation_failed', `${name} ${message}.`, { fields: [{ path: [name], message, keyword }] });
}

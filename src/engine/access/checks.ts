import { AppError, type FieldProblem } from '../../core/errors.ts';
import { isReservedUser, RESERVED_USERS } from '../../core/ids.ts';

const MAX_NAME = 100;
const MAX_TEXT = 255;
/** What a terminal or a log would obey instead of showing it, and what turns the direction of reading around. */
const INVISIBLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Collects what is wrong with an input, so that its author learns everything at once. */
export interface Checks {
  /** Notes a problem of a field unless `right`. */
  that(right: boolean, field: string, message: string): void;
  /** Throws `validation_failed` when something was noted. */
  done(): void;
}

export function createChecks(): Checks {
  const fields: FieldProblem[] = [];
  return {
    that(right, field, message) {
      if (!right) fields.push({ path: [field], message, keyword: 'form' });
    },
    done() {
      const [first] = fields;
      if (first !== undefined) throw new AppError('validation_failed', `${first.path.join('.')} ${first.message}.`, { fields });
    },
  };
}

/** A name for people: 1 to 100 characters, all of them visible, not only spaces. */
export function checkName(checks: Checks, name: string): void {
  checks.that(isVisible(name, MAX_NAME), 'name', `must have 1 to ${MAX_NAME} visible characters`);
}

/** What tokens carry as issuer or audience: 1 to 255 visible characters. */
export function checkTokenText(checks: Checks, field: 'issuer' | 'audience', text: string | null): void {
  checks.that(text === null || isVisible(text, MAX_TEXT), field, `must have 1 to ${MAX_TEXT} visible characters`);
}

/** The one user of a token or a key: 1 to 255 characters, no NUL, whole surrogate pairs, and none under whose name the application itself acts. */
export function checkUserId(checks: Checks, userId: string): void {
  const fits = hasLength(userId, MAX_TEXT) && userId.isWellFormed() && !userId.includes('\0');
  checks.that(fits, 'user_id', `must have 1 to ${MAX_TEXT} characters and no NUL`);
  const names = RESERVED_USERS.map((name) => `"${name}"`).join(' or ');
  checks.that(!isReservedUser(userId), 'user_id', `must not be ${names}: the application itself acts under these names`);
}

/** The name of a tier that exists. */
export function checkTier(checks: Checks, tier: string | null, known: Iterable<string>): void {
  const names = [...known];
  checks.that(tier === null || names.includes(tier), 'tier', `must be one of ${names.join(', ')}`);
}

function isVisible(text: string, longest: number): boolean {
  return hasLength(text, longest) && text.trim() !== '' && !INVISIBLE.test(text);
}

function hasLength(text: string, longest: number): boolean {
  return text !== '' && text.length <= 2 * longest && [...text].length <= longest;
}

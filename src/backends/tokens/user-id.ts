const MAX_CHARACTERS = 255;

/** A user's name as contracts allow it: 1 to 255 characters, well-formed Unicode, no NUL. */
export function isUserId(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.length > 2 * MAX_CHARACTERS) return false;
  return value.isWellFormed() && !value.includes('\0') && [...value].length <= MAX_CHARACTERS;
}

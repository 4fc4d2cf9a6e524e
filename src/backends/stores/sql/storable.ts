/**
 * Whether every store keeps this text as it is: PostgreSQL takes no NUL, and half of a surrogate pair becomes another character in UTF-8. Names
 * that are not are nobody's, so they need no query.
 */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

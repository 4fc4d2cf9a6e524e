const MAX_CHARACTERS = 200;
const MAX_EXTENSION = 20;
const UNNAMED = 'file';
/** Controls, line and paragraph separators, and what turns the direction of a text or hides in it. */
const INVISIBLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/**
 * A file's name as it may be shown and stored: no path, no control, nothing that turns the direction of a text, NFC, 1 to 200 characters of
 * which the extension stays. Never a place on this machine.
 */
export function cleanFileName(name: string): string {
  const visible = name
    .slice(0, 16 * MAX_CHARACTERS)
    .toWellFormed()
    .normalize('NFC')
    .replace(INVISIBLE, '');
  const last = visible.split(/[/\\]/).at(-1) ?? '';
  const trimmed = last.replace(/\s+/gu, ' ').trim();
  return shorten(/^[.\s]*$/.test(trimmed) ? UNNAMED : trimmed);
}

function shorten(name: string): string {
  const characters = [...name];
  if (characters.length <= MAX_CHARACTERS) return name;
  const dot = characters.lastIndexOf('.');
  const extension = dot > 0 && characters.length - dot <= MAX_EXTENSION ? characters.slice(dot) : [];
  return [...characters.slice(0, MAX_CHARACTERS - extension.length), ...extension].join('').trimEnd();
}

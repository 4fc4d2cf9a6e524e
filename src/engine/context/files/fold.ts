import { foldText } from '../../../core/folded-text.ts';

const ASCII = /^[\0-\x7f]*$/;

/** A text without case and accents, so that words match however they are written; most texts need no look at Unicode. */
export function fold(text: string): string {
  return ASCII.test(text) ? text.toLowerCase() : foldText(text);
}

/** Scripts whose words no space keeps apart. */
export const SPACELESS = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]/u;

const WORD_CHARACTER = /[\p{L}\p{N}\p{M}]/u;

/** Whether the character at a place belongs to a word; false outside of the text. */
export function isInWord(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (Number.isNaN(unit)) return false;
  if (unit < 0x80) return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
  return WORD_CHARACTER.test(text.charAt(at));
}

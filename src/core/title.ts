const MAX_WORDS = 5;
const MAX_LENGTH = 255;
const MORE = '...';

/** A thread's title from its first user message: the first five words, `...` when there are more, at most 255 code units. Empty for a text without words. */
export function titleFrom(text: string): string {
  const word = /\S+/g;
  const words: string[] = [];
  let more = false;
  for (let found = word.exec(text); found !== null && !more; found = word.exec(text)) {
    if (words.length === MAX_WORDS) more = true;
    else words.push(found[0]);
  }
  const title = words.join(' ');
  if (title.length + (more ? MORE.length : 0) <= MAX_LENGTH) return more ? title + MORE : title;
  const cut = title.slice(0, MAX_LENGTH - MORE.length);
  return (cut.isWellFormed() ? cut : cut.slice(0, -1)) + MORE;
}

const MAX_CHARACTERS = 300;

/** The part of a passage that has most of the question's words, in one line. */
export function quote(passage: string, question: string): string {
  const words = new Set(wordsOf(question));
  const sentences = passage.split(/(?<=[.!?。！？])\s+|\n{2,}/u).map((sentence) => sentence.replace(/\s+/g, ' ').trim());
  const scores = sentences.map((sentence) => new Set(wordsOf(sentence).filter((word) => words.has(word))).size);
  const from = scores.indexOf(Math.max(...scores));
  const line = sentences.slice(Math.max(0, from)).join(' ').trim();
  const characters = [...line.slice(0, 2 * MAX_CHARACTERS + 1)];
  return characters.length <= MAX_CHARACTERS ? line : `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`;
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
}

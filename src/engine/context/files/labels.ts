import { type Attachment, hasPages, type SourcePassage } from '../../../core/attachment.ts';
import type { AttachmentId } from '../../../core/ids.ts';

const LONGEST_NAME = 80;

/** What passages are called in an answer that names them: the file, and the page where there are any. */
export type LabelOf = (file: Attachment, page: number) => string;

/** Makes labels in which no two files of these are called the same. */
export function createLabels(files: readonly Attachment[]): LabelOf {
  const taken = new Set<string>();
  const names = new Map<AttachmentId, string>();
  for (const { id, name } of files) {
    const wanted = shorten(name.replaceAll('[', '(').replaceAll(']', ')').replaceAll(';', ','));
    let free = wanted;
    for (let number = 2; taken.has(free); number += 1) free = `${wanted} (${number})`;
    taken.add(free);
    names.set(id, free);
  }
  return (file, page) => {
    const name = names.get(file.id) ?? file.name;
    return hasPages(file.type) ? `${name}, p. ${page}` : name;
  };
}

function shorten(name: string): string {
  const characters = [...name];
  return characters.length <= LONGEST_NAME ? name : `${characters.slice(0, LONGEST_NAME - 1).join('')}…`;
}

/** The passages that an answer names, each once, in the order in which it names them. */
export function namedPassages(answer: string, passages: readonly SourcePassage[]): readonly SourcePassage[] {
  const byLabel = new Map(passages.toReversed().map((passage) => [passage.label, passage]));
  const named = new Set<SourcePassage>();
  for (const [, labels = ''] of answer.matchAll(/\[([^[\]\n]{1,400})\]/g)) {
    for (const label of labels.split(';')) {
      const passage = byLabel.get(label.trim());
      if (passage) named.add(passage);
    }
  }
  return [...named];
}

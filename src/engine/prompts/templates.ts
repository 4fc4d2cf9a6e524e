import { foldText } from '../../core/folded-text.ts';
import type { PromptFilter } from '../../core/ports/prompt-store.ts';
import { type Prompt, type PromptRef, type Template, templateId } from '../../core/prompt.ts';

/** The templates that come with the server, used by nobody yet. */
export interface Templates {
  find(ref: PromptRef): Prompt | null;
  /** Those that the filter leaves, in the order of their numbers. */
  matching(filter: PromptFilter): readonly Prompt[];
}

export function createTemplates(shipped: readonly Template[]): Templates {
  const all = shipped
    .toSorted((left, right) => left.number - right.number)
    .map((template) => ({ prompt: toPrompt(template), searched: searchedText(template) }));
  const find = (ref: PromptRef) => all.find(({ prompt }) => ('id' in ref ? prompt.id === ref.id : prompt.number === ref.number));
  return {
    find: (ref) => find(ref)?.prompt ?? null,
    matching: ({ scenario, words = [] }) =>
      all
        .filter(({ prompt }) => scenario === undefined || prompt.scenario === scenario)
        .filter(({ searched }) => words.every((word) => searched.includes(word)))
        .map(({ prompt }) => prompt),
  };
}

function toPrompt(template: Template): Prompt {
  return { id: templateId(template.number), isTemplate: true, version: 1, usageCount: 0, ...template };
}

function searchedText({ title, description, content }: Template): string {
  return foldText(`${title}\n${description ?? ''}\n${content}`);
}

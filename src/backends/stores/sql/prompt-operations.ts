import type { PromptStore } from '../../../core/ports/prompt-store.ts';
import { findPromptRow, toPrompt } from './prompts.ts';
import { listPrompts } from './prompts-list.ts';
import { changePrompt, createPrompt, restorePrompt } from './prompts-save.ts';
import { countPromptUse, countTemplateUse, deletePrompt, templateUses } from './prompts-uses.ts';
import { listPromptVersions } from './prompts-versions.ts';
import type { Session } from './session.ts';

/** The store's operations on prompts. */
export function promptOperations(session: Session): PromptStore {
  return {
    createPrompt: (input) => createPrompt(session, input),
    findPrompt: async (owner, ref) => {
      const row = await findPromptRow(session, owner, ref);
      return row === undefined ? null : toPrompt(row);
    },
    listPrompts: (owner, query) => listPrompts(session, owner, query),
    changePrompt: (input) => changePrompt(session, input),
    restorePrompt: (input) => restorePrompt(session, input),
    listPromptVersions: (owner, ref, page) => listPromptVersions(session, { owner, ref, ...page }),
    deletePrompt: (owner, ref) => deletePrompt(session, owner, ref),
    countPromptUse: (owner, ref) => countPromptUse(session, owner, ref),
    countTemplateUse: (input) => countTemplateUse(session, input),
    templateUses: (owner) => templateUses(session, owner),
  };
}

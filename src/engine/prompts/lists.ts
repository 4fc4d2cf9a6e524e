import type { PromptStore } from '../../core/ports/prompt-store.ts';
import type { Owner } from '../../core/principal.ts';
import type { Prompt, PromptRef, PromptVersion } from '../../core/prompt.ts';
import { promptNotFound, versionNotFound } from '../../core/refusals.ts';
import type { Prompts } from './prompts.ts';
import type { Templates } from './templates.ts';

/** What reads prompts: users' own from the store, templates from memory. */
export function createPromptLists(
  store: Pick<PromptStore, 'findPrompt' | 'listPrompts' | 'listPromptVersions' | 'templateUses'>,
  templates: Templates,
): Pick<Prompts, 'find' | 'list' | 'page' | 'versions' | 'version'> {
  async function withUses(owner: Owner, prompts: readonly Prompt[]): Promise<readonly Prompt[]> {
    if (prompts.length === 0) return [];
    const uses = new Map((await store.templateUses(owner)).map((used) => [used.number, used.uses]));
    return prompts.map((prompt) => ({ ...prompt, usageCount: uses.get(prompt.number) ?? 0 }));
  }

  async function versions(owner: Owner, ref: PromptRef, page: { before: number | null; limit: number }): Promise<readonly PromptVersion[]> {
    const template = templates.find(ref);
    if (template) return page.before === null || page.before > template.version ? [toVersion(template)] : [];
    const found = await store.listPromptVersions(owner, ref, page);
    if (found === null) throw promptNotFound();
    return found;
  }

  return {
    async find(owner, ref) {
      const template = templates.find(ref);
      const [found] = template ? await withUses(owner, [template]) : [await store.findPrompt(owner, ref)];
      if (!found) throw promptNotFound();
      return found;
    },
    async list(owner, { includeTemplates, ...query }, after) {
      const shipped = includeTemplates ? templates.matching(query) : [];
      if (after !== null && 'template' in after) {
        return withUses(owner, shipped.filter(({ number }) => number > after.template).slice(0, query.limit));
      }
      const { prompts } = await store.listPrompts(owner, { ...query, from: after === null ? { offset: 0 } : { after } });
      return [...prompts, ...(await withUses(owner, shipped.slice(0, query.limit - prompts.length)))];
    },
    async page(owner, { includeTemplates, ...query }, offset) {
      const shipped = includeTemplates ? templates.matching(query) : [];
      const own = await store.listPrompts(owner, { ...query, from: { offset } });
      const start = Math.max(0, offset - own.total);
      const behind = shipped.slice(start, start + query.limit - own.prompts.length);
      return { prompts: [...own.prompts, ...(await withUses(owner, behind))], total: own.total + shipped.length };
    },
    versions,
    async version(owner, ref, version) {
      const [found] = await versions(owner, ref, { before: version + 1, limit: 1 });
      if (found?.version !== version) throw versionNotFound();
      return found;
    },
  };
}

function toVersion({ version, title, content, scenario, description, metadata, createdAt }: Prompt): PromptVersion {
  return { version, title, content, scenario, description, metadata, createdAt };
}

import type { Prompt, PromptVersion } from '../../core/prompt.ts';
import type { Preview } from '../../engine/index.ts';
import { formatTime } from '../../http/time.ts';

/** A prompt with its newest version. */
export function toPromptView(prompt: Prompt): object {
  return {
    id: prompt.id,
    title: prompt.title,
    content: prompt.content,
    scenario: prompt.scenario,
    description: prompt.description,
    metadata: prompt.metadata,
    is_template: prompt.isTemplate,
    usage_count: prompt.usageCount,
    version: prompt.version,
    created_at: formatTime(prompt.createdAt),
    updated_at: formatTime(prompt.updatedAt),
  };
}

/** A version in a list, without what is long. */
export function toVersionEntry({ version, title, scenario, createdAt }: PromptVersion): object {
  return { version, title, scenario, created_at: formatTime(createdAt) };
}

/** A version as it was saved. */
export function toVersionView({ version, title, content, scenario, description, metadata, createdAt }: PromptVersion): object {
  return { version, title, content, scenario, description, metadata, created_at: formatTime(createdAt) };
}

/** What a model answered to a prompt. */
export function toPreviewView({ text, tokens, model }: Pick<Preview, 'text' | 'tokens' | 'model'>): object {
  return { preview: text, tokens_used: tokens, model_used: model };
}

import type { Prompt } from '../../core/prompt.ts';
import type { Preview } from '../../engine/index.ts';
import { formatTime } from '../../http/time.ts';

/** A prompt as this protocol shows it. */
export function toPrompt(prompt: Prompt): object {
  return {
    id: prompt.number,
    title: prompt.title,
    content: prompt.content,
    scenario: prompt.scenario,
    description: prompt.description,
    metadata: prompt.metadata,
    is_template: prompt.isTemplate,
    usage_count: prompt.usageCount,
    created_at: formatTime(prompt.createdAt),
    updated_at: formatTime(prompt.updatedAt),
  };
}

/** What a model answered to a prompt. */
export function toPreview({ text, tokens, model }: Pick<Preview, 'text' | 'tokens' | 'model'>): object {
  return { preview: text, tokens_used: tokens, model_used: model };
}

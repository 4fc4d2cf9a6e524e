import { promptNotFound, templateReadOnly } from '../../core/refusals.ts';
import type { Operation, Parameter, Refused } from '../../http/docs/operation.ts';
import { samplePreview, samplePrompt } from '../../http/docs/samples.ts';
import { anyObject, count, flag, type JsonSchema, list, named, object, orNull, text, time } from '../../http/docs/schema.ts';
import { actingUser, number, query } from './operation-parts.ts';
import { toPreview, toPrompt } from './prompt-view.ts';
import { readPreviewed, readPromptNumber, readPromptsQuery } from './prompt-wire.ts';

const UNKNOWN = '4503599627370495';
const TEMPLATE = '1';
const summarizer = {
  title: 'Text Summarizer',
  content: 'Summarize the following text: {text}',
  scenario: 'summarization',
  description: 'Generates concise summaries',
};
const example = toPrompt(samplePrompt);
const updated = { title: 'Updated Title', content: 'Updated content with {variable}', scenario: 'new_scenario' };

const prompt: JsonSchema = named(
  'chat-sessions.Prompt',
  object({
    id: number,
    title: text,
    content: text,
    scenario: text,
    description: orNull(text),
    metadata: anyObject,
    is_template: { ...flag, description: 'Comes with the server, for everybody.' },
    usage_count: count,
    created_at: time,
    updated_at: time,
  }),
);
const promptId: Parameter = { name: 'prompt_id', in: 'path', description: "The prompt's id.", schema: number };
const ofNewPrompt = { operation: 'createPrompt', parameters: { prompt_id: '$response.body#/id' } };
const unknown: Refused = { request: { path: { prompt_id: UNKNOWN } }, fail: promptNotFound };
const unreadable: Refused = { request: { path: { prompt_id: 'first' } }, fail: () => readPromptNumber('first') };
const template: Refused = { request: { path: { prompt_id: TEMPLATE } }, fail: templateReadOnly };
const refusedQuery = (asked: Readonly<Record<string, string>>): Refused => ({
  request: { query: asked },
  fail: () => readPromptsQuery(asked),
});

const createPrompt: Operation = {
  id: 'createPrompt',
  summary: 'Store a prompt',
  description: 'Its content may hold placeholders in braces: `{text}`. A user may keep 1,000 prompts of 2,000,000 characters together.',
  parameters: [actingUser],
  body: { examples: { summarizer: { ...summarizer, metadata: { tags: ['summary', 'concise'] } }, short: summarizer } },
  repeatable: true,
  answers: [{ status: 200, description: 'The prompt.', json: { schema: prompt, example } }],
  errors: ['state_conflict'],
  refused: [{ request: { body: { ...summarizer, title: '' } } }, { request: { body: { title: 'Text Summarizer' } } }],
};

const listPrompts: Operation = {
  id: 'listPrompts',
  summary: "The user's own prompts, newest first, and behind them the templates",
  parameters: [
    actingUser,
    query('scenario', 'Only those of exactly this scenario.', { type: 'string', maxLength: 100 }),
    query('include_templates', 'Whether templates are in the list.', { ...flag, default: true }),
    query('search', 'Only those with all of these words, or words that hold them, in title, description or content.', {
      type: 'string',
      maxLength: 1_000,
    }),
    query('page', 'Which page.', { type: 'integer', minimum: 1, maximum: 2_147_483_647, default: 1 }),
    query('page_size', 'Prompts on a page.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
  ],
  answers: [
    {
      status: 200,
      description: 'One page, and how many there are in all.',
      json: {
        schema: object({ items: list(prompt), total: count, page: count, page_size: count }),
        example: { items: [example], total: 1, page: 1, page_size: 20 },
      },
    },
  ],
  refused: [refusedQuery({ page: '0' }), refusedQuery({ page_size: '101' }), refusedQuery({ include_templates: 'maybe' })],
};

const showPrompt: Operation = {
  id: 'showPrompt',
  summary: 'One prompt, or a template',
  parameters: [actingUser, promptId],
  needs: ofNewPrompt,
  answers: [{ status: 200, description: 'The prompt.', json: { schema: prompt, example } }],
  refused: [unknown, unreadable],
};

const changePrompt: Operation = {
  id: 'changePrompt',
  summary: 'Change what the body names; the rest stays',
  description: 'What it was before stays as a version, which native shows and restores.',
  parameters: [actingUser, promptId],
  body: { examples: { all: { ...updated, description: 'Updated description' }, title: { title: 'Updated Title' } } },
  needs: ofNewPrompt,
  answers: [{ status: 200, description: 'The prompt as it is now.', json: { schema: prompt, example: { ...example, ...updated } } }],
  errors: ['state_conflict'],
  refused: [{ request: { body: { title: '' } } }, unknown, unreadable, template],
};

const removePrompt: Operation = {
  id: 'removePrompt',
  summary: 'Delete a prompt with all of its versions',
  parameters: [actingUser, promptId],
  needs: ofNewPrompt,
  answers: [
    {
      status: 200,
      description: 'It is gone.',
      json: { schema: object({ message: text }), example: { message: 'Prompt deleted successfully' } },
    },
  ],
  refused: [unknown, unreadable, template],
};

const previewPrompt: Operation = {
  id: 'previewPrompt',
  summary: 'Fill in a prompt and let the default model answer it',
  description:
    'Costs what a message costs; nothing of it is stored but the use of a stored prompt. Each value stands in the prompt as it is; ' +
    'placeholders without one stay, unless the metadata of the prompt has a default: `{"variables": {"text": {"default": "..."}}}`.',
  parameters: [actingUser],
  body: {
    examples: {
      stored: { prompt_id: samplePrompt.number, variables: { text: 'Sample text to summarize' } },
      content: { content: 'Summarize this text: {text}', variables: { text: 'Sample text to summarize' } },
    },
  },
  needs: {
    operation: 'createPrompt',
    body: { prompt_id: '$response.body#/id', variables: { text: 'Sample text to summarize' } },
  },
  answers: [
    {
      status: 200,
      description: 'What the model said, and the tokens in and out.',
      json: { schema: object({ preview: text, tokens_used: count, model_used: text }), example: toPreview(samplePreview) },
    },
  ],
  errors: ['run_limit', 'run_failed', 'run_timeout'],
  refused: [
    { request: { body: { variables: {} } }, fail: () => readPreviewed({}) },
    { request: { body: { content: 'Hello {name}', variables: { name: ['Ann'] } } } },
    { request: { fields: { prompt_id: Number(UNKNOWN) } }, fail: promptNotFound },
  ],
};

/** What the routes of prompts do. */
export const promptOperations: Readonly<Record<string, Operation>> = {
  'GET /prompts': listPrompts,
  'POST /prompts': createPrompt,
  'GET /prompts/:prompt_id': showPrompt,
  'PUT /prompts/:prompt_id': changePrompt,
  'DELETE /prompts/:prompt_id': removePrompt,
  'POST /prompts/preview': previewPrompt,
};

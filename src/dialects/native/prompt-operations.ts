import { promptNotFound, templateReadOnly } from '../../core/refusals.ts';
import type { Operation, Parameter, Refused } from '../../http/docs/operation.ts';
import { samplePreview, samplePrompt } from '../../http/docs/samples.ts';
import { anyObject, count, flag, type JsonSchema, named, object, orNull, text, time, uuid } from '../../http/docs/schema.ts';
import { NOBODY } from '../../http/docs/typical-failures.ts';
import { readPromptCursor, readVersionCursor } from '../../http/list-cursor.ts';
import { actingUser, cursor, limit, page } from './operation-parts.ts';
import { toPreviewView, toPromptView, toVersionEntry, toVersionView } from './prompt-view.ts';
import { readPage, readPreviewed, readPromptsQuery } from './prompt-wire.ts';

const TEMPLATE = '00000000-0000-8000-8000-000000000001';
const positive: JsonSchema = { type: 'integer', minimum: 1 };
const content = { title: text, content: text, scenario: text, description: orNull(text), metadata: anyObject };
const promptView = named(
  'native.Prompt',
  object({
    id: uuid,
    ...content,
    is_template: { ...flag, description: 'Comes with the server, for everybody.' },
    usage_count: count,
    version: positive,
    created_at: time,
    updated_at: time,
  }),
);
const versionView = named('native.PromptVersion', object({ version: positive, ...content, created_at: time }));
const versionEntry = object({ version: positive, title: text, scenario: text, created_at: time });
const sampleVersion = { ...samplePrompt, version: 1 };

const promptId: Parameter = { name: 'prompt_id', in: 'path', description: "The prompt's id.", schema: uuid };
const version: Parameter = { name: 'version', in: 'path', description: "The version's number.", schema: positive, example: 1 };
const ofNewPrompt = { operation: 'createPrompt', parameters: { prompt_id: '$response.body#/id' } };
const template: Refused = { request: { path: { prompt_id: TEMPLATE } }, fail: templateReadOnly };
const shown = { status: 200, json: { schema: promptView, example: toPromptView(samplePrompt) } } as const;
const summarizer = {
  title: 'Text Summarizer',
  content: 'Summarize the following text: {text}',
  scenario: 'summarization',
};

const listPrompts: Operation = {
  id: 'listPrompts',
  summary: "The user's own prompts, newest first, and behind them the templates",
  parameters: [
    actingUser,
    cursor,
    limit,
    {
      name: 'q',
      in: 'query',
      description: 'Only those with all of these words, or words that hold them, in title, description or content.',
      schema: { type: 'string', maxLength: 1_000 },
    },
    { name: 'scenario', in: 'query', description: 'Only those of exactly this scenario.', schema: { type: 'string', maxLength: 100 } },
    { name: 'include_templates', in: 'query', description: 'Whether templates are in the list.', schema: { ...flag, default: true } },
  ],
  answers: [
    {
      status: 200,
      description: 'One page.',
      json: { schema: page(promptView), example: { data: [toPromptView(samplePrompt)], next_cursor: null } },
    },
  ],
  refused: [
    { request: { query: { limit: '0' } }, fail: () => readPromptsQuery({ limit: '0' }) },
    { request: { query: { include_templates: 'maybe' } }, fail: () => readPromptsQuery({ include_templates: 'maybe' }) },
    { request: { query: { cursor: 'abc' } }, fail: () => readPromptCursor('abc') },
  ],
};

const createPrompt: Operation = {
  id: 'createPrompt',
  summary: 'Store a prompt',
  description: 'Its content may hold placeholders in braces: `{text}`. A user may keep 1,000 prompts of 2,000,000 characters together.',
  parameters: [actingUser],
  body: {
    examples: {
      plain: summarizer,
      whole: { ...summarizer, description: 'Generates concise summaries', metadata: { variables: { text: { default: 'Nothing yet.' } } } },
    },
  },
  repeatable: true,
  answers: [{ ...shown, status: 201, description: 'It is there.', headers: ['Location'] }],
  errors: ['state_conflict'],
  refused: [{ request: { body: { ...summarizer, usage_count: 7 } } }, { request: { body: { title: '' } } }],
};

const showPrompt: Operation = {
  id: 'showPrompt',
  summary: 'One prompt, or a template',
  parameters: [actingUser, promptId],
  needs: ofNewPrompt,
  answers: [{ ...shown, description: 'The prompt.' }],
  errors: ['prompt_not_found'],
};

const changePrompt: Operation = {
  id: 'changePrompt',
  summary: 'Change what the body names, as a new version; the rest stays',
  parameters: [actingUser, promptId],
  body: { examples: { content: { content: 'Summarize in one sentence: {text}' }, nothing: { description: null } } },
  needs: ofNewPrompt,
  answers: [{ ...shown, description: 'The prompt as it is now.' }],
  errors: ['prompt_not_found', 'state_conflict'],
  refused: [{ request: { body: { content: '' } } }, { request: { body: { is_template: true } } }, template],
};

const deletePrompt: Operation = {
  id: 'deletePrompt',
  summary: 'Delete a prompt with all of its versions',
  parameters: [actingUser, promptId],
  needs: ofNewPrompt,
  answers: [{ status: 204, description: 'It is gone.' }],
  errors: ['prompt_not_found'],
  refused: [template],
};

const listVersions: Operation = {
  id: 'listPromptVersions',
  summary: 'The newest 50 versions of a prompt, newest first',
  parameters: [actingUser, promptId, cursor, limit],
  needs: ofNewPrompt,
  answers: [
    {
      status: 200,
      description: 'One page.',
      json: { schema: page(versionEntry), example: { data: [toVersionEntry(sampleVersion)], next_cursor: null } },
    },
  ],
  errors: ['prompt_not_found'],
  refused: [
    { request: { query: { limit: '0' } }, fail: () => readPage({ limit: '0' }) },
    { request: { query: { cursor: 'abc' } }, fail: () => readVersionCursor('abc') },
  ],
};

const showVersion: Operation = {
  id: 'showPromptVersion',
  summary: 'A version as it was saved',
  parameters: [actingUser, promptId, version],
  needs: ofNewPrompt,
  answers: [{ status: 200, description: 'The version.', json: { schema: versionView, example: toVersionView(sampleVersion) } }],
  errors: ['prompt_not_found', 'version_not_found'],
};

const restoreVersion: Operation = {
  id: 'restorePromptVersion',
  summary: 'Make an earlier version the newest one, under a new number',
  parameters: [actingUser, promptId, version],
  needs: ofNewPrompt,
  repeatable: true,
  answers: [{ ...shown, description: 'The prompt as it is now.' }],
  errors: ['prompt_not_found', 'version_not_found', 'state_conflict'],
  refused: [template],
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
      stored: { prompt_id: samplePrompt.id, variables: { text: 'Sample text to summarize' } },
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
      json: { schema: object({ preview: text, tokens_used: count, model_used: text }), example: toPreviewView(samplePreview) },
    },
  ],
  errors: ['run_limit', 'run_failed', 'run_timeout'],
  refused: [
    { request: { body: { variables: {} } }, fail: () => readPreviewed({}) },
    { request: { body: { content: 'Hello {name}', variables: { name: ['Ann'] } } } },
    { request: { body: { prompt_id: NOBODY } }, fail: promptNotFound },
  ],
};

/** What the routes of prompts do. */
export const promptOperations: Readonly<Record<string, Operation>> = {
  'GET /prompts': listPrompts,
  'POST /prompts': createPrompt,
  'GET /prompts/:prompt_id': showPrompt,
  'PATCH /prompts/:prompt_id': changePrompt,
  'DELETE /prompts/:prompt_id': deletePrompt,
  'GET /prompts/:prompt_id/versions': listVersions,
  'GET /prompts/:prompt_id/versions/:version': showVersion,
  'POST /prompts/:prompt_id/versions/:version/restore': restoreVersion,
  'POST /prompts/preview': previewPrompt,
};

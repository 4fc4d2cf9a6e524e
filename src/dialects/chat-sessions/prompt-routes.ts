import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { previewPrompt } from '../../http/prompt-preview.ts';
import { toPreview, toPrompt } from './prompt-view.ts';
import {
  ChangePromptBody,
  CreatePromptBody,
  PreviewPromptBody,
  readNewPrompt,
  readPreviewed,
  readPromptChanges,
  readPromptNumber,
  readPromptsQuery,
} from './prompt-wire.ts';
import { callerIn } from './request.ts';

/** Adds the routes of prompts. */
export function registerPromptRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.get('/prompts', (request) => listPrompts(deps, request));
  scope.post('/prompts', { schema: { body: CreatePromptBody } }, (request, reply) => createPrompt(deps, request, reply));
  scope.get('/prompts/:prompt_id', (request) => showPrompt(deps, request));
  scope.put('/prompts/:prompt_id', { schema: { body: ChangePromptBody } }, (request) => changePrompt(deps, request));
  scope.delete('/prompts/:prompt_id', (request) => removePrompt(deps, request));
  scope.post('/prompts/preview', { schema: { body: PreviewPromptBody } }, (request, reply) => preview(deps, request, reply));
}

function promptIn(request: FastifyRequest): { number: number } {
  const { prompt_id = '' } = request.params as { prompt_id?: string };
  return { number: readPromptNumber(prompt_id) };
}

async function listPrompts({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const { page, ...listing } = readPromptsQuery(request.query);
  const { prompts, total } = await engine.prompts.page(callerIn(request), listing, (page - 1) * listing.limit);
  return { items: prompts.map(toPrompt), total, page, page_size: listing.limit };
}

async function createPrompt({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const content = readNewPrompt(request.body as CreatePromptBody);
  const { prompt, replayed } = await engine.prompts.create(callerIn(request), content, readRepeatKey(request, 'chat-sessions'));
  if (replayed) reply.header('idempotent-replayed', 'true');
  return toPrompt(prompt);
}

async function showPrompt({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  return toPrompt(await engine.prompts.find(callerIn(request), promptIn(request)));
}

async function changePrompt({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const changes = readPromptChanges(request.body as ChangePromptBody);
  return toPrompt(await engine.prompts.change(callerIn(request), promptIn(request), changes));
}

async function removePrompt({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  await engine.prompts.delete(callerIn(request), promptIn(request));
  return { message: 'Prompt deleted successfully' };
}

async function preview(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const body = request.body as PreviewPromptBody;
  const asked = { caller: callerIn(request), prompt: readPreviewed(body), variables: body.variables ?? {} };
  return toPreview(await previewPrompt(deps, { request, reply }, asked));
}

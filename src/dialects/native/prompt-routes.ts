import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { versionNotFound } from '../../core/refusals.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { readPromptCursor, readVersionCursor, writePromptCursor, writeVersionCursor } from '../../http/list-cursor.ts';
import { previewPrompt } from '../../http/prompt-preview.ts';
import { toPreviewView, toPromptView, toVersionEntry, toVersionView } from './prompt-view.ts';
import {
  ChangePromptBody,
  CreatePromptBody,
  PreviewPromptBody,
  readNewPrompt,
  readPage,
  readPreviewed,
  readPromptChanges,
  readPromptsQuery,
} from './prompt-wire.ts';
import { callerIn, promptIn } from './request.ts';

const VERSION = '/prompts/:prompt_id/versions/:version';

/** Adds the routes of prompts and their versions. */
export function registerPromptRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.get('/prompts', (request) => listPrompts(deps, request));
  scope.post('/prompts', { schema: { body: CreatePromptBody } }, (request, reply) => createPrompt(deps, request, reply));
  scope.get('/prompts/:prompt_id', (request) => showPrompt(deps, request));
  scope.patch('/prompts/:prompt_id', { schema: { body: ChangePromptBody } }, (request) => changePrompt(deps, request));
  scope.delete('/prompts/:prompt_id', (request, reply) => deletePrompt(deps, request, reply));
  scope.get('/prompts/:prompt_id/versions', (request) => listVersions(deps, request));
  scope.get(VERSION, (request) => showVersion(deps, request));
  scope.post(`${VERSION}/restore`, (request, reply) => restoreVersion(deps, request, reply));
  scope.post('/prompts/preview', { schema: { body: PreviewPromptBody } }, (request, reply) => preview(deps, request, reply));
}

async function listPrompts({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const { limit, cursor, ...filter } = readPromptsQuery(request.query);
  const after = cursor === null ? null : readPromptCursor(cursor);
  const found = await engine.prompts.list(callerIn(request), { ...filter, limit: limit + 1 }, after);
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data: data.map(toPromptView), next_cursor: last && found.length > limit ? writePromptCursor(last) : null };
}

async function createPrompt({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const content = readNewPrompt(request.body as CreatePromptBody);
  const { prompt, replayed } = await engine.prompts.create(callerIn(request), content, readRepeatKey(request, 'native'));
  if (replayed) reply.header('idempotent-replayed', 'true');
  reply.code(201).header('location', `/polylogue/v1/prompts/${prompt.id}`);
  return toPromptView(prompt);
}

async function showPrompt({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  return toPromptView(await engine.prompts.find(callerIn(request), promptIn(request)));
}

async function changePrompt({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const changes = readPromptChanges(request.body as ChangePromptBody);
  return toPromptView(await engine.prompts.change(callerIn(request), promptIn(request), changes));
}

async function deletePrompt({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  await engine.prompts.delete(callerIn(request), promptIn(request));
  await reply.code(204).send();
}

async function listVersions({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const { limit, cursor } = readPage(request.query);
  const before = cursor === null ? null : readVersionCursor(cursor);
  const found = await engine.prompts.versions(callerIn(request), promptIn(request), { before, limit: limit + 1 });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data: data.map(toVersionEntry), next_cursor: last && found.length > limit ? writeVersionCursor(last) : null };
}

async function showVersion({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  return toVersionView(await engine.prompts.version(callerIn(request), promptIn(request), versionIn(request)));
}

async function restoreVersion({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const wanted = { version: versionIn(request), repeat: readRepeatKey(request, 'native') };
  const { prompt, replayed } = await engine.prompts.restore(callerIn(request), promptIn(request), wanted);
  if (replayed) reply.header('idempotent-replayed', 'true');
  return toPromptView(prompt);
}

async function preview(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const body = request.body as PreviewPromptBody;
  const asked = { caller: callerIn(request), prompt: readPreviewed(body), variables: body.variables ?? {} };
  return toPreviewView(await previewPrompt(deps, { request, reply }, asked));
}

/** The version in the path; what is no number is a version that does not exist. */
function versionIn(request: FastifyRequest): number {
  const { version = '' } = request.params as { version?: string };
  if (!/^[1-9]\d{0,14}$/.test(version)) throw versionNotFound();
  return Number(version);
}

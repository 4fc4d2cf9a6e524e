import type { Kysely } from 'kysely';
import type { PromptId } from '../../../core/ids.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Prompt, PromptContent, PromptRef } from '../../../core/prompt.ts';
import type { JsonObject } from '../../../core/thread.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Database, PromptsTable, PromptVersionsTable } from './schema.ts';
import type { Dialect, Session } from './session.ts';

/** A prompt with its newest version. */
export type PromptRow = Omit<PromptsTable, 'search_text'> &
  Pick<PromptVersionsTable, 'title' | 'scenario' | 'description' | 'metadata' | 'content'>;

/** Prompts beside their users and newest versions, nothing selected yet. */
export function promptsWithVersions(db: Kysely<Database>) {
  return db
    .selectFrom('prompts')
    .innerJoin('users', 'users.id', 'prompts.user_id')
    .innerJoin('prompt_versions', (join) =>
      join.onRef('prompt_versions.prompt_id', '=', 'prompts.id').onRef('prompt_versions.version', '=', 'prompts.version'),
    );
}

/** What a row of a prompt is made of. */
export const promptColumns = [
  'prompts.id',
  'prompts.number',
  'prompts.user_id',
  'prompts.version',
  'prompts.usage_count',
  'prompts.size',
  'prompts.created_at',
  'prompts.updated_at',
  'prompt_versions.title',
  'prompt_versions.scenario',
  'prompt_versions.description',
  'prompt_versions.metadata',
  'prompt_versions.content',
] as const;

type Named<Name> = { application: string; user: string } & Name;

function ofOwner(db: Kysely<Database>, param: Param<Named<unknown>>) {
  return promptsWithVersions(db)
    .select(promptColumns)
    .where('users.application_id', '=', param('application'))
    .where('users.external_id', '=', param('user'));
}

function forWriting(found: ReturnType<typeof ofOwner>, dialect: Dialect) {
  return dialect === 'postgres' ? found.forUpdate('prompts') : found;
}

const byId = prepared((db, param: Param<Named<{ id: string }>>) => ofOwner(db, param).where('prompts.id', '=', param('id')));

const byNumber = prepared((db, param: Param<Named<{ number: number }>>) =>
  ofOwner(db, param).where('prompts.number', '=', param('number')),
);

const lockById = prepared((db, param: Param<Named<{ id: string }>>, dialect) =>
  forWriting(ofOwner(db, param).where('prompts.id', '=', param('id')), dialect),
);

const lockByNumber = prepared((db, param: Param<Named<{ number: number }>>, dialect) =>
  forWriting(ofOwner(db, param).where('prompts.number', '=', param('number')), dialect),
);

/** The owner's prompt of that name. */
export function findPromptRow(session: Session, owner: Owner, ref: PromptRef): Promise<PromptRow | undefined> {
  const user = { application: owner.applicationId, user: owner.userId };
  return 'id' in ref ? byId.first(session, { ...user, id: ref.id }) : byNumber.first(session, { ...user, number: ref.number });
}

/** The same for a transaction that is going to change it: others that want to change it wait. */
export function lockPromptRow(session: Session, owner: Owner, ref: PromptRef): Promise<PromptRow | undefined> {
  const user = { application: owner.applicationId, user: owner.userId };
  return 'id' in ref ? lockById.first(session, { ...user, id: ref.id }) : lockByNumber.first(session, { ...user, number: ref.number });
}

/** The prompt as the engine sees it. */
export function toPrompt(row: PromptRow): Prompt {
  return {
    id: row.id as PromptId,
    number: row.number,
    isTemplate: false,
    version: row.version,
    usageCount: row.usage_count,
    ...toContent(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** What a stored version says. */
export function toContent(row: Pick<PromptVersionsTable, 'title' | 'content' | 'scenario' | 'description' | 'metadata'>): PromptContent {
  return {
    title: row.title,
    content: row.content,
    scenario: row.scenario,
    description: row.description,
    metadata: JSON.parse(row.metadata) as JsonObject,
  };
}

import { sql } from 'kysely';
import type { PromptFilter, PromptPlace, PromptQuery } from '../../../core/ports/prompt-store.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Prompt } from '../../../core/prompt.ts';
import { idList } from './id-list.ts';
import { promptColumns, promptsWithVersions, toPrompt } from './prompts.ts';
import type { Dialect, Session } from './session.ts';
import { allOf, builders } from './session.ts';

/** A page of the owner's prompts, newest first, with the number of all that the filter leaves: bounded, so all of their ids are looked at. */
export async function listPrompts(
  session: Session,
  owner: Owner,
  { limit, from, ...filter }: PromptQuery,
): Promise<{ prompts: readonly Prompt[]; total: number }> {
  const found = await allOf(session, placesOf(session.dialect, owner, filter));
  const start = 'offset' in from ? from.offset : startBehind(found, from.after);
  const page = found.slice(start, start + limit).map(({ id }) => id);
  if (page.length === 0) return { prompts: [], total: found.length };
  const rows = await allOf(
    session,
    promptsWithVersions(builders[session.dialect])
      .select(promptColumns)
      .where('prompts.id', 'in', idList(session.dialect, JSON.stringify(page)))
      .orderBy('prompts.created_at', 'desc')
      .orderBy('prompts.id', 'desc'),
  );
  return { prompts: rows.map(toPrompt), total: found.length };
}

function placesOf(dialect: Dialect, owner: Owner, { scenario, words = [] }: PromptFilter) {
  let found = promptsWithVersions(builders[dialect])
    .select(['prompts.id', 'prompts.created_at'])
    .where('users.application_id', '=', owner.applicationId)
    .where('users.external_id', '=', owner.userId)
    .orderBy('prompts.created_at', 'desc')
    .orderBy('prompts.id', 'desc');
  if (scenario !== undefined) found = found.where('prompt_versions.scenario', '=', scenario);
  for (const word of words) found = found.where(contains(dialect, word));
  return found;
}

/** Literally: no character of the word has a meaning. */
function contains(dialect: Dialect, word: string) {
  switch (dialect) {
    case 'sqlite':
      return sql<boolean>`instr(prompts.search_text, ${word}) > 0`;
    case 'postgres':
      return sql<boolean>`strpos(prompts.search_text, ${word}) > 0`;
  }
}

function startBehind(found: readonly { readonly id: string; readonly created_at: number }[], { createdAt, id }: PromptPlace): number {
  const start = found.findIndex((row) => row.created_at < createdAt || (row.created_at === createdAt && row.id < id));
  return start === -1 ? found.length : start;
}

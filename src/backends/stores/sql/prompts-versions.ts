import type { Owner } from '../../../core/principal.ts';
import type { PromptContent, PromptRef, PromptVersion } from '../../../core/prompt.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { findPromptRow, toContent } from './prompts.ts';
import type { PromptVersionsTable } from './schema.ts';
import type { Session } from './session.ts';

const add = prepared((db, param: Param<{ [Column in keyof PromptVersionsTable]: PromptVersionsTable[Column] }>) =>
  db.insertInto('prompt_versions').values({
    prompt_id: param('prompt_id'),
    version: param('version'),
    created_at: param('created_at'),
    title: param('title'),
    scenario: param('scenario'),
    description: param('description'),
    metadata: param('metadata'),
    content: param('content'),
  }),
);

const forget = prepared((db, param: Param<{ prompt: string; until: number }>) =>
  db.deleteFrom('prompt_versions').where('prompt_id', '=', param('prompt')).where('version', '<=', param('until')),
);

const one = prepared((db, param: Param<{ prompt: string; version: number }>) =>
  db.selectFrom('prompt_versions').selectAll().where('prompt_id', '=', param('prompt')).where('version', '=', param('version')),
);

const before = prepared((db, param: Param<{ prompt: string; before: number; limit: number }>) =>
  db
    .selectFrom('prompt_versions')
    .selectAll()
    .where('prompt_id', '=', param('prompt'))
    .where('version', '<', param('before'))
    .orderBy('version', 'desc')
    .limit(param('limit')),
);

/** Writes a prompt's newest version and forgets those beyond the newest `keep`. */
export async function addVersion(
  session: Session,
  input: { promptId: string; version: number; now: number; content: PromptContent; keep: number },
): Promise<void> {
  const { promptId, version, now, content, keep } = input;
  const { title, scenario, description, metadata } = content;
  const text = { title, scenario, description, metadata: JSON.stringify(metadata), content: content.content };
  await add.run(session, { prompt_id: promptId, version, created_at: now, ...text });
  if (version > keep) await forget.run(session, { prompt: promptId, until: version - keep });
}

/** A version that is still kept. */
export function findVersion(session: Session, promptId: string, version: number): Promise<PromptVersionsTable | undefined> {
  return one.first(session, { prompt: promptId, version });
}

/** Versions before `before`, newest first; null when the owner has no such prompt. */
export async function listPromptVersions(
  session: Session,
  input: { owner: Owner; ref: PromptRef; before: number | null; limit: number },
): Promise<readonly PromptVersion[] | null> {
  const prompt = await findPromptRow(session, input.owner, input.ref);
  if (prompt === undefined) return null;
  const rows = await before.all(session, { prompt: prompt.id, before: input.before ?? Number.MAX_SAFE_INTEGER, limit: input.limit });
  return rows.map((row) => ({ version: row.version, ...toContent(row), createdAt: row.created_at }));
}

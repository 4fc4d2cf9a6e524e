import { foldText } from '../../../core/folded-text.ts';
import type { Idempotency } from '../../../core/ports/idempotency.ts';
import type { NewPrompt, PromptBounds, SavePromptResult } from '../../../core/ports/prompt-store.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Prompt, PromptContent, PromptRef } from '../../../core/prompt.ts';
import { findRepeat, keepResult } from './idempotency.ts';
import { lockNames } from './locks.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { lockPromptRow, type PromptRow, toContent, toPrompt } from './prompts.ts';
import { addVersion, findVersion } from './prompts-versions.ts';
import type { PromptsTable } from './schema.ts';
import type { Session } from './session.ts';
import { ensureUser, findUser } from './users.ts';

/** Who saves, when, and how much they may keep. */
interface Saving {
  readonly owner: Owner;
  readonly now: number;
  readonly bounds: PromptBounds;
}

interface Repeatable {
  readonly idempotency: Idempotency | null;
}

const kept = prepared((db, param: Param<{ user: string }>) =>
  db
    .selectFrom('prompts')
    .where('user_id', '=', param('user'))
    .select((eb) => [eb.fn.countAll<number>().as('prompts'), eb.fn.coalesce(eb.fn.sum<number>('size'), eb.lit(0)).as('chars')]),
);

const add = prepared((db, param: Param<{ [Column in keyof PromptsTable]: PromptsTable[Column] }>) =>
  db.insertInto('prompts').values({
    id: param('id'),
    number: param('number'),
    user_id: param('user_id'),
    version: param('version'),
    usage_count: param('usage_count'),
    size: param('size'),
    created_at: param('created_at'),
    updated_at: param('updated_at'),
    search_text: param('search_text'),
  }),
);

const change = prepared((db, param: Param<Pick<PromptsTable, 'id' | 'version' | 'size' | 'updated_at' | 'search_text'>>) =>
  db
    .updateTable('prompts')
    .set({ version: param('version'), size: param('size'), updated_at: param('updated_at'), search_text: param('search_text') })
    .where('id', '=', param('id')),
);

/** Makes a prompt, unless its user has as many as may be. */
export async function createPrompt(
  session: Session,
  input: Saving & Repeatable & { readonly prompt: NewPrompt },
): Promise<SavePromptResult> {
  const { owner, now, bounds, prompt, idempotency } = input;
  await lockSaves(session, owner, idempotency);
  const user = await ensureUser(session, owner, now);
  const earlier = await repeatOf(session, { userId: user.id, idempotency, now });
  if (earlier !== null) return earlier;
  const searched = searchedText(prompt);
  const refusal = exceeded(await keptBy(session, user.id), bounds, { prompts: 1, chars: searched.size });
  if (refusal !== null) return { kind: 'refused', reason: refusal };
  const { id, number, ...content } = prompt;
  const times = { created_at: now, updated_at: now };
  await add.run(session, { id, number, user_id: user.id, version: 1, usage_count: 0, ...searched, ...times });
  await addVersion(session, { promptId: id, version: 1, now, content, keep: bounds.versions });
  const made: Prompt = { id, number, isTemplate: false, version: 1, usageCount: 0, ...content, createdAt: now, updatedAt: now };
  await keep(session, made, { userId: user.id, idempotency, now });
  return { kind: 'saved', prompt: made };
}

/** Changes what is named; a change of nothing is no version. */
export async function changePrompt(
  session: Session,
  { ref, changes, ...saving }: Saving & { readonly ref: PromptRef; readonly changes: Partial<PromptContent> },
): Promise<SavePromptResult> {
  await lockSaves(session, saving.owner, null);
  const row = await lockPromptRow(session, saving.owner, ref);
  if (row === undefined) return { kind: 'refused', reason: 'prompt_not_found' };
  return saveVersion(session, row, { ...saving, content: { ...toContent(row), ...changes } });
}

/** Makes a version that is like an earlier one; like the newest one it is none. */
export async function restorePrompt(
  session: Session,
  { ref, version, idempotency, ...saving }: Saving & Repeatable & { readonly ref: PromptRef; readonly version: number },
): Promise<SavePromptResult> {
  const { owner, now } = saving;
  await lockSaves(session, owner, idempotency);
  const user = await findUser(session, owner);
  if (user === undefined) return { kind: 'refused', reason: 'prompt_not_found' };
  const earlier = await repeatOf(session, { userId: user.id, idempotency, now });
  if (earlier !== null) return earlier;
  const row = await lockPromptRow(session, owner, ref);
  if (row === undefined) return { kind: 'refused', reason: 'prompt_not_found' };
  const wanted = await findVersion(session, row.id, version);
  if (wanted === undefined) return { kind: 'refused', reason: 'version_not_found' };
  const saved = await saveVersion(session, row, { ...saving, content: toContent(wanted) });
  if (saved.kind === 'saved') await keep(session, saved.prompt, { userId: user.id, idempotency, now });
  return saved;
}

async function saveVersion(
  session: Session,
  row: PromptRow,
  { now, bounds, content }: Saving & { readonly content: PromptContent },
): Promise<SavePromptResult> {
  if (isSame(toContent(row), content)) return { kind: 'saved', prompt: toPrompt(row) };
  const searched = searchedText(content);
  const grows = { prompts: 0, chars: searched.size - row.size };
  const refusal = exceeded(await keptBy(session, row.user_id), bounds, grows);
  // A user who has more than may be now may still make it less.
  if (refusal !== null && grows.chars > 0) return { kind: 'refused', reason: refusal };
  const version = row.version + 1;
  await change.run(session, { id: row.id, version, updated_at: now, ...searched });
  await addVersion(session, { promptId: row.id, version, now, content, keep: bounds.versions });
  return { kind: 'saved', prompt: { ...toPrompt(row), ...content, version, updatedAt: now } };
}

/** Saves of one user follow one another, so that what they keep is counted exactly. */
async function lockSaves(session: Session, owner: Owner, idempotency: Idempotency | null): Promise<void> {
  await lockNames(session, owner, [...(idempotency === null ? [] : [`repeat ${idempotency.key}`]), 'prompts']);
}

interface Repeat extends Repeatable {
  readonly userId: string;
  readonly now: number;
}

async function repeatOf(session: Session, { userId, idempotency, now }: Repeat): Promise<SavePromptResult | null> {
  if (idempotency === null) return null;
  const earlier = await findRepeat<{ prompt: Prompt }>(session, { userId, idempotency, now });
  if (earlier === 'mismatch') return { kind: 'refused', reason: 'idempotency_mismatch' };
  return earlier && { kind: 'replayed', prompt: earlier.prompt };
}

/** Under the prompt's id, with which it goes. */
async function keep(session: Session, prompt: Prompt, { userId, idempotency, now }: Repeat): Promise<void> {
  if (idempotency !== null) await keepResult(session, { userId, idempotency, threadKey: prompt.id, result: { prompt }, now });
}

function isSame(left: PromptContent, right: PromptContent): boolean {
  const parts = ({ title, content, scenario, description, metadata }: PromptContent) =>
    JSON.stringify([title, content, scenario, description, metadata]);
  return parts(left) === parts(right);
}

function searchedText({ title, description, content }: PromptContent): Pick<PromptsTable, 'search_text' | 'size'> {
  const text = `${title}\n${description ?? ''}\n${content}`;
  const search_text = foldText(text);
  return { search_text, size: Math.max(text.length, search_text.length) };
}

interface Kept {
  readonly prompts: number;
  readonly chars: number;
}

async function keptBy(session: Session, userId: string): Promise<Kept> {
  const found = await kept.first(session, { user: userId });
  return { prompts: found?.prompts ?? 0, chars: Number(found?.chars ?? 0) };
}

function exceeded(now: Kept, bounds: PromptBounds, more: Kept): 'too_many' | 'too_long' | null {
  if (now.prompts + more.prompts > bounds.prompts) return 'too_many';
  return now.chars + more.chars > bounds.chars ? 'too_long' : null;
}

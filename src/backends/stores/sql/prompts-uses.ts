import type { Owner } from '../../../core/principal.ts';
import type { PromptRef } from '../../../core/prompt.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { findPromptRow, lockPromptRow } from './prompts.ts';
import type { Session } from './session.ts';
import { ensureUser } from './users.ts';

const count = prepared((db, param: Param<{ prompt: string }>) =>
  db
    .updateTable('prompts')
    .set((eb) => ({ usage_count: eb('usage_count', '+', 1) }))
    .where('id', '=', param('prompt')),
);

const countTemplate = prepared((db, param: Param<{ user: string; number: number }>) =>
  db
    .insertInto('template_uses')
    .values({ user_id: param('user'), number: param('number'), uses: 1 })
    .onConflict((conflict) => conflict.columns(['user_id', 'number']).doUpdateSet((eb) => ({ uses: eb('template_uses.uses', '+', 1) }))),
);

const ofTemplates = prepared((db, param: Param<{ application: string; user: string }>) =>
  db
    .selectFrom('template_uses')
    .innerJoin('users', 'users.id', 'template_uses.user_id')
    .where('users.application_id', '=', param('application'))
    .where('users.external_id', '=', param('user'))
    .select(['template_uses.number', 'template_uses.uses']),
);

/** In this order: whoever finds a prompt finds its versions. */
const removals = [
  prepared((db, param: Param<{ prompt: string }>) => db.deleteFrom('prompts').where('id', '=', param('prompt'))),
  prepared((db, param: Param<{ prompt: string }>) => db.deleteFrom('prompt_versions').where('prompt_id', '=', param('prompt'))),
  prepared((db, param: Param<{ prompt: string }>) => db.deleteFrom('idempotency_keys').where('thread_key', '=', param('prompt'))),
];

/** Counts one more use; of a prompt that is gone, none. */
export async function countPromptUse(session: Session, owner: Owner, ref: PromptRef): Promise<void> {
  const prompt = await findPromptRow(session, owner, ref);
  if (prompt !== undefined) await count.run(session, { prompt: prompt.id });
}

/** Counts one more use of a template by the owner. */
export async function countTemplateUse(session: Session, input: { owner: Owner; number: number; now: number }): Promise<void> {
  const user = await ensureUser(session, input.owner, input.now);
  await countTemplate.run(session, { user: user.id, number: input.number });
}

/** The owner's uses of each template. */
export function templateUses(session: Session, owner: Owner): Promise<readonly { number: number; uses: number }[]> {
  return ofTemplates.all(session, { application: owner.applicationId, user: owner.userId });
}

/** Removes the rows of a prompt; false when the owner has no such prompt. */
export async function deletePrompt(session: Session, owner: Owner, ref: PromptRef): Promise<boolean> {
  const prompt = await lockPromptRow(session, owner, ref);
  if (prompt === undefined) return false;
  for (const removal of removals) await removal.run(session, { prompt: prompt.id });
  return true;
}

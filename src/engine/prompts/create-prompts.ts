import { AppError } from '../../core/errors.ts';
import type { PromptId } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { IdSource } from '../../core/ports/ids.ts';
import type { PromptBounds, PromptStore, SavePromptResult } from '../../core/ports/prompt-store.ts';
import type { Owner } from '../../core/principal.ts';
import { LAST_TEMPLATE_NUMBER, type Prompt, type PromptRef, type Template } from '../../core/prompt.ts';
import { promptNotFound, repeatMismatch, templateReadOnly, versionNotFound } from '../../core/refusals.ts';
import { createPromptLists } from './lists.ts';
import type { Previews } from './previews.ts';
import type { PreviewPrompt, Prompts } from './prompts.ts';
import { renderPrompt } from './render.ts';
import { createTemplates, type Templates } from './templates.ts';

/** What one user may keep. Searching reads all of it. */
const BOUNDS: PromptBounds = { prompts: 1_000, chars: 2_000_000, versions: 50 };

interface PromptPorts {
  readonly store: PromptStore;
  readonly templates: readonly Template[];
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly previews: Pick<Previews, 'ask'>;
}

/** Prompts over their store, with the templates among them. */
export function createPrompts(ports: PromptPorts): Prompts {
  const { store, ids, clock } = ports;
  const templates = createTemplates(ports.templates);
  const { find, ...lists } = createPromptLists(store, templates);
  const bounds = BOUNDS;
  return {
    ...lists,
    find,
    async create(owner, content, repeat) {
      const prompt = { id: ids.uuid<PromptId>(), number: promptNumber(ids), ...content };
      return saved(await store.createPrompt({ owner, now: clock.now(), prompt, bounds, idempotency: repeat }));
    },
    async change(owner, ref, changes) {
      refuseTemplate(templates, ref);
      return saved(await store.changePrompt({ owner, ref, changes, now: clock.now(), bounds })).prompt;
    },
    async delete(owner, ref) {
      refuseTemplate(templates, ref);
      if (!(await store.deletePrompt(owner, ref))) throw promptNotFound();
    },
    async restore(owner, ref, { version, repeat }) {
      refuseTemplate(templates, ref);
      return saved(await store.restorePrompt({ owner, ref, version, now: clock.now(), bounds, idempotency: repeat }));
    },
    async preview({ caller, prompt, variables, ...call }: PreviewPrompt) {
      const stored = 'ref' in prompt ? await find(caller, prompt.ref) : { content: prompt.content, metadata: {} };
      const preview = await ports.previews.ask(renderPrompt(stored.content, variables, stored.metadata), { caller, ...call });
      if ('id' in stored) await countUse(ports, caller, stored);
      return preview;
    },
  };
}

/** A random one that no template can have. */
function promptNumber(ids: IdSource): number {
  for (;;) {
    const number = ids.number();
    if (number > LAST_TEMPLATE_NUMBER) return number;
  }
}

function refuseTemplate(templates: Templates, ref: PromptRef): void {
  if (templates.find(ref)) throw templateReadOnly();
}

async function countUse({ store, clock }: PromptPorts, owner: Owner, { id, number, isTemplate }: Prompt): Promise<void> {
  if (isTemplate) await store.countTemplateUse({ owner, number, now: clock.now() });
  else await store.countPromptUse(owner, { id });
}

function saved(result: SavePromptResult): { prompt: Prompt; replayed: boolean } {
  if (result.kind !== 'refused') return { prompt: result.prompt, replayed: result.kind === 'replayed' };
  switch (result.reason) {
    case 'prompt_not_found':
      throw promptNotFound();
    case 'version_not_found':
      throw versionNotFound();
    case 'too_many':
      throw new AppError('state_conflict', `A user may keep ${BOUNDS.prompts} prompts: delete one first.`);
    case 'too_long':
      throw new AppError('state_conflict', `All prompts of a user may have ${BOUNDS.chars} characters together: delete or shorten some.`);
    case 'idempotency_mismatch':
      throw repeatMismatch();
  }
}

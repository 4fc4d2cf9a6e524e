import type { PromptId } from '../ids.ts';
import type { Owner } from '../principal.ts';
import type { Prompt, PromptContent, PromptRef, PromptVersion } from '../prompt.ts';
import type { Idempotency } from './idempotency.ts';

export interface NewPrompt extends PromptContent {
  readonly id: PromptId;
  readonly number: number;
}

/** What one user may keep; exact, also among servers that share the store. */
export interface PromptBounds {
  readonly prompts: number;
  /** Characters of all prompts together, in UTF-16 code units, old versions aside: searching takes time for each. */
  readonly chars: number;
  /** Versions of one prompt, the newest ones. */
  readonly versions: number;
}

/** Which of a user's prompts; what is left out does not matter. */
export interface PromptFilter {
  readonly scenario?: string;
  /** Folded words (`core/folded-text.ts`) that all stand in title, description or content, or are parts of words there. */
  readonly words?: readonly string[];
}

/** Newest first; `after` is the last row of the page before, `offset` a number of rows to pass over. */
export interface PromptQuery extends PromptFilter {
  readonly limit: number;
  readonly from: { readonly offset: number } | { readonly after: PromptPlace };
}

/** Where a prompt stands in a list. */
export interface PromptPlace {
  readonly createdAt: number;
  readonly id: PromptId;
}

type SaveRefusal = 'prompt_not_found' | 'version_not_found' | 'too_many' | 'too_long' | 'idempotency_mismatch';

export type SavePromptResult =
  /** `replayed`: the first result under this idempotency key, as it was then. */
  { readonly kind: 'saved' | 'replayed'; readonly prompt: Prompt } | { readonly kind: 'refused'; readonly reason: SaveRefusal };

/** Users' prompts with their versions. Templates come with the server; only how often a user used them is stored. */
export interface PromptStore {
  createPrompt(input: {
    owner: Owner;
    now: number;
    prompt: NewPrompt;
    bounds: PromptBounds;
    idempotency: Idempotency | null;
  }): Promise<SavePromptResult>;
  findPrompt(owner: Owner, ref: PromptRef): Promise<Prompt | null>;
  /** One page, and how many prompts the filter leaves in all. */
  listPrompts(owner: Owner, query: PromptQuery): Promise<{ readonly prompts: readonly Prompt[]; readonly total: number }>;
  /** Makes a version when something changes. */
  changePrompt(input: {
    owner: Owner;
    ref: PromptRef;
    changes: Partial<PromptContent>;
    now: number;
    bounds: PromptBounds;
  }): Promise<SavePromptResult>;
  /** Makes a version that is like an earlier one. */
  restorePrompt(input: {
    owner: Owner;
    ref: PromptRef;
    version: number;
    now: number;
    bounds: PromptBounds;
    idempotency: Idempotency | null;
  }): Promise<SavePromptResult>;
  /** Newest first, those before `before`; null when the prompt is unknown. */
  listPromptVersions(
    owner: Owner,
    ref: PromptRef,
    page: { before: number | null; limit: number },
  ): Promise<readonly PromptVersion[] | null>;
  /** Removes every trace from the data files; false when the prompt is unknown. */
  deletePrompt(owner: Owner, ref: PromptRef): Promise<boolean>;
  /** Adds 1, unless the prompt is gone. */
  countPromptUse(owner: Owner, ref: PromptRef): Promise<void>;
  /** Adds 1 to how often the owner used the template of that number. */
  countTemplateUse(input: { owner: Owner; number: number; now: number }): Promise<void>;
  /** How often the owner used templates, those never used left out. */
  templateUses(owner: Owner): Promise<readonly { readonly number: number; readonly uses: number }[]>;
}

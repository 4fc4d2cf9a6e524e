import type { RateState } from '../../core/limits.ts';
import type { Idempotency } from '../../core/ports/idempotency.ts';
import type { PromptFilter, PromptPlace } from '../../core/ports/prompt-store.ts';
import type { Caller, Owner } from '../../core/principal.ts';
import type { Prompt, PromptContent, PromptRef, PromptVersion } from '../../core/prompt.ts';

/** Where a list of prompts goes on: behind a user's own prompt, or behind the template of that number. */
export type PromptListPlace = PromptPlace | { readonly template: number };

/** The user's own prompts, newest first, and behind them, when asked, the templates in the order of their numbers. */
export interface PromptListing extends PromptFilter {
  readonly includeTemplates: boolean;
  readonly limit: number;
}

/** What stands for placeholders, by their names. */
export type PromptVariables = Readonly<Record<string, string | number | boolean>>;

export interface PreviewPrompt {
  readonly caller: Caller;
  readonly prompt: { readonly ref: PromptRef } | { readonly content: string };
  readonly variables: PromptVariables;
  readonly timeoutMs: number;
  /** Stops the model's work: nobody else hears of it. */
  readonly signal: AbortSignal;
}

/** What a model answers to a prompt. */
export interface Preview {
  readonly text: string;
  /** The public name of the model; `demo` where none is set up. */
  readonly model: string;
  /** In and out, as the provider counted them, else as this server does. */
  readonly tokens: number;
  /** What is left of the caller's messages; null without bound. */
  readonly rate: RateState | null;
}

/** Users' prompts and the templates. Unknown and foreign ones reject with `prompt_not_found`, changes of templates with `template_read_only`. */
export interface Prompts {
  /** Rejects with `state_conflict` when the user keeps as much as may be. */
  create(owner: Owner, content: PromptContent, repeat: Idempotency | null): Promise<{ prompt: Prompt; replayed: boolean }>;
  find(owner: Owner, ref: PromptRef): Promise<Prompt>;
  /** The prompts behind a place, from the start without one. */
  list(owner: Owner, listing: PromptListing, after: PromptListPlace | null): Promise<readonly Prompt[]>;
  /** The prompts behind so many, with the number of all. */
  page(owner: Owner, listing: PromptListing, offset: number): Promise<{ prompts: readonly Prompt[]; total: number }>;
  /** What changes something makes a version. Rejects with `state_conflict` as `create` does. */
  change(owner: Owner, ref: PromptRef, changes: Partial<PromptContent>): Promise<Prompt>;
  /** Removes it with its versions. */
  delete(owner: Owner, ref: PromptRef): Promise<void>;
  /** The newest versions before that one, newest first. */
  versions(owner: Owner, ref: PromptRef, page: { before: number | null; limit: number }): Promise<readonly PromptVersion[]>;
  /** Rejects with `version_not_found`. */
  version(owner: Owner, ref: PromptRef, version: number): Promise<PromptVersion>;
  /** Makes an earlier version the newest one, under a number of its own. Rejects as `version` and `change` do. */
  restore(
    owner: Owner,
    ref: PromptRef,
    input: { version: number; repeat: Idempotency | null },
  ): Promise<{ prompt: Prompt; replayed: boolean }>;
  /**
   * Asks the default model, as one message of the caller's allowance. A stored prompt's use is counted once it is answered. Rejects with
   * `validation_failed`, `rate_limited`, `run_limit`, `run_failed`, `run_timeout`, `draining`, or the signal's reason.
   */
  preview(input: PreviewPrompt): Promise<Preview>;
}

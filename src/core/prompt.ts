import type { PromptId } from './ids.ts';
import type { JsonObject } from './thread.ts';

/** What a prompt is made of; each save that changes it is a version. `content` may hold `{name}` placeholders. */
export interface PromptContent {
  readonly title: string;
  readonly content: string;
  /** What it is for, in one word or a few: prompts are found by it. */
  readonly scenario: string;
  readonly description: string | null;
  /** Free but for `variables`: `{name: {description?, default?}}` says what placeholders mean, and what stands for those that are not given. */
  readonly metadata: JsonObject;
}

/** A stored prompt of one user, or a template that comes with the server. */
export interface Prompt extends PromptContent {
  readonly id: PromptId;
  /** For protocols whose ids are integers: random above `LAST_TEMPLATE_NUMBER` for users' prompts, fixed for templates. */
  readonly number: number;
  /** Comes with the server, is there for everybody, and cannot be changed. */
  readonly isTemplate: boolean;
  /** The newest version's number, from 1. */
  readonly version: number;
  /** How often it was previewed; a template's are those of the user who asks. */
  readonly usageCount: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a prompt was when it was saved for the `version`-th time. */
export interface PromptVersion extends PromptContent {
  readonly version: number;
  readonly createdAt: number;
}

/** A template as it is shipped. */
export interface Template extends PromptContent {
  readonly number: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The two public names of a prompt. */
export type PromptRef = { readonly id: PromptId } | { readonly number: number };

/** Numbers up to this one are for templates, also for those that later versions of the server bring. */
export const LAST_TEMPLATE_NUMBER = 1_000_000;

/** A template's UUID (version 8, RFC 9562 section 5.8), which follows from its number. */
export function templateId(number: number): PromptId {
  return `00000000-0000-8000-8000-${number.toString(16).padStart(12, '0')}` as PromptId;
}

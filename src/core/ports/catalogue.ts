import type { ModelProvider } from './model-provider.ts';

/** A model that callers may name. */
export interface CatalogueModel {
  readonly name: string;
  readonly provider: string;
  /** The provider's own name of it. */
  readonly upstream: string;
  /** Tokens that question and answer may take together. */
  readonly window: number;
  /** Tokens kept free for the answer when a caller asks for no limit. */
  readonly maxOutput: number;
}

/** What answers, under the names that callers use. */
export interface Catalogue {
  readonly defaultModel: string;
  find(name: string): CatalogueModel | null;
  list(): readonly CatalogueModel[];
  /** Whether the list has a model of that name. */
  lists(name: string): boolean;
  /** Null when no provider of that name is configured. */
  provider(name: string): ModelProvider | null;
}

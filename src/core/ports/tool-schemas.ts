import type { JsonObject } from '../thread.ts';
import type { ToolDefinition, ToolDigest } from '../tool.ts';

/** What has to be known of JSON Schema and of hashes to trust a tool and to call it. */
export interface ToolSchemas {
  /** The same for the same definition in every process and release. A definition does not change: another one is another object. */
  digest(definition: ToolDefinition): ToolDigest;
  /** What is wrong with arguments, in words for the model that wrote them; null when the definition takes them. Never throws. */
  problem(definition: ToolDefinition, args: JsonObject): string | null;
}

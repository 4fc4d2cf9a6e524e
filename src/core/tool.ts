import type { JsonObject } from './thread.ts';

/** What a model is told of a tool. */
export interface ToolDefinition {
  /** Unique among the tools of a run, 1 to 64 of `A-Za-z0-9_-`: every provider takes it. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments, an object's. */
  readonly parameters: JsonObject;
  /** Its calls change nothing: they need no approval, and may be made again. */
  readonly readOnly: boolean;
}

/** SHA-256 in hexadecimal digits of a definition's canonical JSON; the same as long as nothing that a model or a user is told has changed. */
export type ToolDigest = string;

/** A definition as an agent's runs have trusted it since they first saw it, or since somebody approved its change. */
export interface ToolPin {
  readonly tool: string;
  readonly digest: ToolDigest;
  readonly definition: ToolDefinition;
}

/** What was decided about a call that had to be approved. */
export type ApprovalDecision = 'approve' | 'deny';

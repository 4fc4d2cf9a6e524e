import type { AttachmentId, MessageId, RunId, ThreadId } from './ids.ts';

/** What only one provider understands; goes back to that provider only, keyed by its name. */
export type ProviderNotes = Readonly<Record<string, unknown>>;

export type ToolResultStatus = 'completed' | 'failed' | 'cancelled' | 'denied';

/** One piece of a message, neutral of provider and protocol. Stored and shown in native as it stands here. */
export type Part =
  | { readonly type: 'text'; readonly text: string; readonly provider?: ProviderNotes }
  | { readonly type: 'reasoning'; readonly text: string; readonly provider?: ProviderNotes }
  | {
      readonly type: 'tool_call';
      readonly call_id: string;
      readonly name: string;
      /** The model's arguments as JSON text, exactly as it wrote them. */
      readonly arguments: string;
      /** RFC 3339. */
      readonly called_at?: string;
      readonly provider?: ProviderNotes;
    }
  | {
      readonly type: 'tool_result';
      readonly call_id: string;
      readonly name: string;
      readonly status: ToolResultStatus;
      readonly result: string;
      /** RFC 3339. */
      readonly returned_at?: string;
    }
  /** A passage of a file that an answer names; `page` is null where the file has none. */
  | { readonly type: 'citation'; readonly file_id: AttachmentId; readonly name: string; readonly page: number | null }
  | { readonly type: 'error'; readonly code: string; readonly detail: string };

export type Role = 'user' | 'assistant';
export type MessageStatus = 'completed' | 'failed' | 'cancelled';

/** Tokens as the provider counted them. */
export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
}

/** One turn of a thread. `seq` is its place in the thread everywhere; `parent_id` its place in the tree of branches. */
export interface Message {
  readonly id: MessageId;
  readonly threadId: ThreadId;
  readonly seq: number;
  readonly parentId: MessageId | null;
  readonly role: Role;
  readonly status: MessageStatus;
  readonly parts: readonly Part[];
  readonly runId: RunId | null;
  readonly model: string | null;
  readonly usage: Usage | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** The visible text of a message: its text parts joined. */
export function textOf(parts: readonly Part[]): string {
  let text = '';
  for (const part of parts) if (part.type === 'text') text += part.text;
  return text;
}

import type { Message } from '../../core/message.ts';
import type { Caller } from '../../core/principal.ts';
import type { Run } from '../../core/run.ts';
import type { Thread, ThreadEvent, ThreadRef } from '../../core/thread.ts';
import type { Engine, RepeatKey, StartRun } from '../../engine/index.ts';
import { serializeFrame } from '../../http/sse.ts';
import type { StreamFormat } from '../../http/stream-format.ts';
import { formatTime } from '../../http/time.ts';
import { toMessageId } from './request.ts';
import { readAsk, type StartRunBody } from './wire.ts';

/** The log as it is: one frame an event, its type as the event's name, its JSON as data. */
export const nativeStream: StreamFormat = {
  name: 'native',
  ids: true,
  stateless: true,
  pings: true,
  contentType: 'text/event-stream',
  createEncoder: () => (event) => [{ part: null, event: event.type, data: JSON.stringify(event) }],
};

export function toThreadView(thread: Thread): object {
  return {
    id: thread.id,
    title: thread.title,
    model: thread.model,
    agent: thread.agent,
    tags: thread.tags,
    archived: thread.archived,
    metadata: thread.metadata,
    head_id: thread.headId,
    created_at: formatTime(thread.createdAt),
    updated_at: formatTime(thread.updatedAt),
  };
}

export function toMessageView(message: Message): object {
  return {
    id: message.id,
    thread_id: message.threadId,
    seq: message.seq,
    parent_id: message.parentId,
    role: message.role,
    status: message.status,
    parts: message.parts,
    run_id: message.runId,
    model: message.model,
    usage: message.usage,
    created_at: formatTime(message.createdAt),
  };
}

export function toRunView(run: Run): object {
  return {
    id: run.id,
    thread_id: run.threadId,
    message_id: run.messageId,
    answer_id: run.answerId,
    status: run.status,
    model: run.snapshot.model,
    agent: run.snapshot.agent?.name ?? null,
    agent_version: run.snapshot.agent?.version ?? null,
    usage: run.usage,
    finish_reason: run.finishReason,
    attempt: run.attempt,
    created_at: formatTime(run.createdAt),
    ended_at: run.endedAt === null ? null : formatTime(run.endedAt),
    ...(run.failure && { error: run.failure }),
  };
}

export function toModelList(models: Engine['models']): object {
  const data = models.list().map((model) => ({
    name: model.name,
    provider: model.provider,
    window: model.window,
    max_output: model.maxOutput,
    default: model.name === models.defaultModel,
  }));
  return { data, default: models.defaultModel };
}

export function toStartRun(body: StartRunBody, call: { owner: Caller; thread: ThreadRef; repeat: RepeatKey | null }): StartRun {
  const ask = readAsk(body);
  const settings = {
    ...call,
    model: body.model ?? null,
    agent: body.agent ?? null,
    temperature: body.temperature ?? null,
    maxTokens: body.max_tokens ?? null,
  };
  if (ask.kind === 'regenerate') return { ...settings, ask: { kind: 'again', message: toMessageId(ask.messageId) } };
  const messages = [{ role: 'user' as const, parts: ask.parts }];
  if (ask.parent === undefined) return { ...settings, ask: { kind: 'append', messages } };
  return { ...settings, ask: { kind: 'append', messages, parent: ask.parent === null ? null : toMessageId(ask.parent) } };
}

/** Thread events as frames, their number as id. */
export function toThreadFrames(events: readonly ThreadEvent[]): string {
  return events.map((event) => serializeFrame({ event: event.type, data: JSON.stringify(event) }, String(event.number))).join('');
}

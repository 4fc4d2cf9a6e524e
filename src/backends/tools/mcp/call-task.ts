import type { CallToolResult } from '@modelcontextprotocol/client';
import type { Clock } from '../../../core/ports/clock.ts';
import { type ToolContext, ToolError } from '../../../core/ports/tool.ts';
import type { JsonObject } from '../../../core/thread.ts';
import type { Ask } from './requests.ts';

/** How soon a server is asked again, whatever it wishes. */
const POLL_MS = { least: 250, most: 5_000 };
const REQUEST_MS = 30_000;

interface TaskOptions {
  readonly ask: Ask;
  readonly clock: Pick<Clock, 'sleep'>;
  /** How long the server has to keep the task. */
  readonly ttlMs: number;
}

/**
 * Makes a call that its server takes only as a task (MCP 2025-11-25, Tasks): begins it, looks after it until it has ended, and gives its result. The SDK
 * knows the words and offers no calls for them. Each request stands for itself, so that a lost connection never begins the task again.
 */
export async function callTask(
  { ask, clock, ttlMs }: TaskOptions,
  call: { readonly name: string; readonly args: JsonObject },
  { signal, progress }: Pick<ToolContext, 'signal' | 'progress'>,
): Promise<CallToolResult> {
  const { specTypeSchemas: schemas } = await import('@modelcontextprotocol/client');
  const params = { name: call.name, arguments: { ...call.args }, task: { ttl: ttlMs } };
  const options = { signal, timeout: REQUEST_MS };
  const begun = await ask(signal, ({ client }) => client.request({ method: 'tools/call', params }, schemas.CreateTaskResult, options));
  const { taskId } = begun.task;
  const cancel = () => {
    const goodbye = new AbortController().signal;
    const sent = ask(goodbye, ({ client }) =>
      client.request({ method: 'tasks/cancel', params: { taskId } }, schemas.CancelTaskResult, { timeout: REQUEST_MS }),
    );
    // Whoever called has gone: a server that does not hear of it forgets the task by itself.
    sent.catch(() => undefined);
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (let task = begun.task; task.status !== 'completed' && task.status !== 'failed'; ) {
      if (task.status === 'cancelled') throw new ToolError('The tool broke the call off.');
      if (task.status === 'input_required') throw new ToolError('The tool has a question, and nobody here can answer it.');
      await clock.sleep(Math.min(Math.max(task.pollInterval ?? 0, POLL_MS.least), POLL_MS.most), signal);
      const before = task;
      task = await ask(signal, ({ client }) => client.request({ method: 'tasks/get', params: { taskId } }, schemas.GetTaskResult, options));
      if (task.lastUpdatedAt !== before.lastUpdatedAt) progress();
    }
    return await ask(signal, ({ client }) =>
      client.request({ method: 'tasks/result', params: { taskId } }, schemas.CallToolResult, options),
    );
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { openTaskFile, type Task } from './task-file.ts';

const file = openTaskFile(process.env.TASKS_FILE ?? 'tasks.json');

const id = z.int().positive().describe('The number of the task, as list_tasks shows it.');
const title = z.string().trim().min(1).max(200);
const description = z.string().max(1_000);

function show({ id: number, title: text, description: more, completed }: Task): string {
  return `${number}. [${completed ? 'x' : ' '}] ${text}${more === '' ? '' : ` (${more})`}`;
}

function answer(words: string) {
  return { content: [{ type: 'text' as const, text: words }] };
}

function changed(what: string, task: Task | null) {
  return task === null ? { ...answer('There is no task of that number.'), isError: true } : answer(`${what}: ${show(task)}`);
}

serveStdio(() => {
  const server = new McpServer({ name: 'task-list', version: '1.0.0' });
  server.registerTool(
    'add_task',
    { description: 'Adds a task to the list.', inputSchema: z.object({ title, description: description.optional() }) },
    async (task) => changed('Added', await file.add(task.title, task.description ?? '')),
  );
  server.registerTool(
    'list_tasks',
    {
      description: 'Shows the tasks with their numbers, all of them or only those that are open or done.',
      inputSchema: z.object({ show: z.enum(['all', 'open', 'done']).optional() }),
      annotations: { readOnlyHint: true },
    },
    async ({ show: which = 'all' }) => {
      const tasks = (await file.list()).filter(({ completed }) => which === 'all' || completed === (which === 'done'));
      return answer(tasks.length === 0 ? 'There are no tasks.' : tasks.map(show).join('\n'));
    },
  );
  server.registerTool(
    'complete_task',
    { description: 'Marks a task as done.', inputSchema: z.object({ id }), annotations: { destructiveHint: false, idempotentHint: true } },
    async (task) => changed('Done', await file.change(task.id, { completed: true })),
  );
  server.registerTool(
    'update_task',
    {
      description: 'Changes the title or the description of a task.',
      inputSchema: z.object({ id, title: title.optional(), description: description.optional() }),
      annotations: { idempotentHint: true },
    },
    async ({ id: number, ...fields }) => changed('Changed', await file.change(number, fields)),
  );
  server.registerTool(
    'delete_task',
    { description: 'Deletes a task for good.', inputSchema: z.object({ id }), annotations: { destructiveHint: true } },
    async (task) => changed('Deleted', await file.remove(task.id)),
  );
  return server;
});

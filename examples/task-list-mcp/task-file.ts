import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

export interface Task {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly completed: boolean;
  /** RFC 3339. */
  readonly created_at: string;
}

interface TaskList {
  /** Ids are never used again. */
  readonly next: number;
  readonly tasks: readonly Task[];
}

/** Tasks in a JSON file, which is replaced as a whole with every change: whoever reads sees the list before or after it. */
export function openTaskFile(path: string) {
  let latest: Promise<unknown> = Promise.resolve();

  async function read(): Promise<TaskList> {
    try {
      return JSON.parse(await readFile(path, 'utf8')) as TaskList;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { next: 1, tasks: [] };
      throw error;
    }
  }

  async function write(list: TaskList): Promise<void> {
    const fresh = `${path}.${randomUUID()}`;
    await writeFile(fresh, `${JSON.stringify(list, null, 2)}\n`);
    await rename(fresh, path);
  }

  /** One change after the other. */
  function inTurn<T>(change: (list: TaskList) => Promise<T>): Promise<T> {
    const changing = latest.then(async () => change(await read()));
    latest = changing.catch(() => undefined);
    return changing;
  }

  return {
    list: async () => (await read()).tasks,

    add: (title: string, description: string) =>
      inTurn(async ({ next, tasks }) => {
        const task = { id: next, title, description, completed: false, created_at: new Date().toISOString() };
        await write({ next: next + 1, tasks: [...tasks, task] });
        return task;
      }),

    /** Null when there is no such task. */
    change: (id: number, fields: Partial<Pick<Task, 'title' | 'description' | 'completed'>>) =>
      inTurn(async ({ next, tasks }) => {
        const known = tasks.find((task) => task.id === id);
        if (known === undefined) return null;
        const changed = { ...known, ...fields };
        await write({ next, tasks: tasks.map((task) => (task === known ? changed : task)) });
        return changed;
      }),

    /** Null when there is no such task. */
    remove: (id: number) =>
      inTurn(async ({ next, tasks }) => {
        const known = tasks.find((task) => task.id === id);
        if (known !== undefined) await write({ next, tasks: tasks.filter((task) => task !== known) });
        return known ?? null;
      }),
  };
}

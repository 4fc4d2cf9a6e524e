import type pg from 'pg';
import { parameterOf } from './parameters.ts';
import { type Answer, createGroup, type PreparedStatements, type Statement } from './statement-group.ts';

/** Statements of one connection, done in the order of these calls. Each text is prepared once. */
export interface Statements {
  ask(text: string, values: readonly unknown[]): Promise<Answer>;
  /** Goes with the next one that is asked for; what fails here fails there. */
  post(text: string, values: readonly unknown[]): void;
  /** Forgets what was posted and has not gone. */
  discard(): void;
}

/**
 * What is asked for together, before anybody waits, goes to the server as one group and is answered as one; as many messages would cost both
 * sides a multiple. A group in which nothing begins a transaction is one: all of it is done or nothing. `failure` makes what askers get of
 * the group's error.
 */
export function createStatements(client: pg.Client, failure: (error: Error) => unknown): Statements {
  const prepared: PreparedStatements = { byText: new Map(), doubtful: [] };
  let waiting: Statement[] = [];
  let state: 'idle' | 'gathering' | 'asking' = 'idle';

  function add(text: string, values: readonly unknown[], asker: Statement['asker']): void {
    waiting.push({ text, parameters: values.map(parameterOf), asker, rows: [], count: 0 });
  }
  function gather(): void {
    if (state !== 'idle') return;
    state = 'gathering';
    queueMicrotask(send);
  }
  function send(): void {
    state = 'asking';
    const statements = waiting;
    waiting = [];
    const done = (error: Error | null) => settle(statements, error);
    client.query(createGroup(statements, { prepared, done }));
  }
  function settle(statements: readonly Statement[], error: Error | null): void {
    state = 'idle';
    const reason = error === null ? null : failure(error);
    for (const { asker, rows, count } of statements) {
      if (reason === null) asker?.resolve({ rows, count });
      else asker?.reject(reason);
    }
    if (waiting.some(({ asker }) => asker !== null)) gather();
  }

  return {
    async ask(text, values) {
      const asker = Promise.withResolvers<Answer>();
      add(text, values, asker);
      gather();
      return asker.promise;
    },
    post: (text, values) => add(text, values, null),
    discard() {
      waiting = waiting.filter(({ asker }) => asker !== null);
    },
  };
}

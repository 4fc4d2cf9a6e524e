/** Does tasks of one subject one after the other, those of different subjects at the same time. Tasks must not reject. */
export type InOrder = <T>(subject: string, task: () => Promise<T>) => Promise<T>;

export function createInOrder(): InOrder {
  /** Null while nothing is under way, which is most of the time. */
  let tails: Map<string, Promise<unknown>> | null = null;
  return (subject, task) => {
    const before = tails?.get(subject);
    const tail = before ? before.then(task) : task();
    tails ??= new Map();
    tails.set(subject, tail);
    return tail.finally(() => {
      if (tails?.get(subject) !== tail) return;
      tails.delete(subject);
      if (tails.size === 0) tails = null;
    });
  };
}

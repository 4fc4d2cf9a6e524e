/** Does tasks of one subject one after the other, those of different subjects at the same time. Tasks must not reject. */
export type InOrder = <T>(subject: string, task: () => Promise<T>) => Promise<T>;

export function createInOrder(): InOrder {
  const tails = new Map<string, Promise<unknown>>();
  return (subject, task) => {
    const before = tails.get(subject);
    const tail = before ? before.then(task) : task();
    tails.set(subject, tail);
    return tail.finally(() => {
      if (tails.get(subject) === tail) tails.delete(subject);
    });
  };
}

/** Time, so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds since 1970, for what is stored and shown; may jump. */
  now(): number;
  /** Milliseconds since some moment, for waiting and measuring; never jumps. */
  elapsed(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`; the function it returns takes the call back. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
  /** Runs a task, which must not reject, again and again, `ms` after it was done; the function it returns stops that. */
  every(ms: number, task: () => Promise<void>): () => void;
}

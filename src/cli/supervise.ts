import type { Clock } from '../core/ports/clock.ts';

type Signal = 'SIGTERM' | 'SIGINT';

/** The part of a process that a supervisor needs. */
interface SupervisedProcess {
  on(event: Signal, listener: () => void): unknown;
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
  exit(code: number): void;
}

interface Supervision {
  readonly process: SupervisedProcess;
  readonly clock: Clock;
  /** How long a drain may take before the process ends anyway. */
  readonly drainMs: number;
  /** Resolves when the application can do nothing any more, not even drain. */
  readonly death: Promise<Error>;
  readonly onFault: (what: string, error: unknown) => void;
}

/** Ctrl-C reaches a server under `npm start` twice, from the terminal and from npm, so a signal this soon after the first is the same one. */
const SAME_SIGNAL_MS = 500;

/**
 * Ties a running application to its process: the first SIGTERM or SIGINT drains and exits with 0, a further one exits with 1 at once; an
 * error nobody caught is reported, drains and exits with 1; the application's death is reported and exits with 1 at once.
 */
export function supervise(app: Promise<{ close(): Promise<void> }>, { process, clock, drainMs, death, onFault }: Supervision): void {
  let stoppingSince: number | null = null;

  const stop = async (code: number) => {
    stoppingSince = clock.now();
    clock.after(drainMs, () => process.exit(1));
    try {
      await (await app).close();
      process.exit(code);
    } catch (error) {
      onFault('stopping', error);
      process.exit(1);
    }
  };

  const onSignal = () => {
    if (stoppingSince === null) void stop(0);
    else if (clock.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
  };
  const onError = (what: string) => (error: unknown) => {
    onFault(what, error);
    if (stoppingSince === null) void stop(1);
  };

  void death.then((error) => {
    onFault('the store has stopped', error);
    process.exit(1);
  });
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onError('uncaught exception'));
  process.on('unhandledRejection', onError('unhandled rejection'));
}

import type { ChildProcess } from 'node:child_process';
import { AppError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { ExtractedText } from '../../core/ports/extractor.ts';
import { ExtractionError } from '../../core/ports/extractor.ts';
import type { Job, Report } from './protocol.ts';
import { readReport } from './protocol.ts';
import { createReceivedText } from './received-text.ts';
import type { WorkLimits } from './watch.ts';
import { watchProcess } from './watch.ts';

/** How a job went. */
export interface Conversation {
  readonly text: ExtractedText;
  /** Whether the process may have another document. */
  readonly reusable: boolean;
}

interface Terms {
  readonly job: Job;
  readonly limits: WorkLimits;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Resolves when the process is ready; rejects with `overloaded` when it cannot start, or with the signal's reason. */
export function untilReady(child: ChildProcess, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      const message = 'The server cannot read documents right now; send this again in a few seconds';
      settle(() => reject(new AppError('overloaded', message, { retryAfterSeconds: 10, cause })));
    };
    const stop = listen(child, {
      onReport: (report) => (report?.kind === 'ready' ? settle(resolve) : fail(report)),
      onEnd: fail,
    });
    const onAbort = (): void => settle(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    function settle(how: () => void): void {
      stop();
      signal.removeEventListener('abort', onAbort);
      how();
    }
  });
}

interface Listeners {
  onReport(report: Report | null): void;
  onEnd(cause: Error): void;
}

function listen(child: ChildProcess, { onReport, onEnd }: Listeners): () => void {
  const onMessage = (message: unknown): void => onReport(readReport(message));
  const onExit = (code: number | null, signal: string | null): void => onEnd(new Error(`It ended with ${signal ?? `exit code ${code}`}.`));
  child.on('message', onMessage).on('exit', onExit).on('error', onEnd);
  return () => {
    child.off('message', onMessage).off('exit', onExit).off('error', onEnd);
  };
}

/**
 * Hands a ready process one document and takes its text in. Rejects with an `ExtractionError` (`too_complex` when a limit is passed or the process
 * dies of the document), with the signal's reason, or with what the process says is broken in it. Afterwards the process is fit for nothing.
 */
export function converse(child: ChildProcess, { job, limits, clock, signal }: Terms): Promise<Conversation> {
  return new Promise((resolve, reject) => {
    const text = createReceivedText(job.bounds);
    const tooComplex = (): void => settle(() => reject(new ExtractionError('too_complex')));
    const onReport = (report: Report | null): void => {
      if (report?.kind === 'text') {
        if (!text.add(report.pages, report.unfinished)) tooComplex();
      } else if (report?.kind === 'done') {
        const { pageCount, truncated, reusable } = report;
        settle(() => resolve({ text: { pages: text.pages(), pageCount, truncated }, reusable }));
      } else if (report?.kind === 'refused') settle(() => reject(new ExtractionError(report.reason)));
      else
        settle(() =>
          reject(new Error('The process that reads documents failed.', { cause: report?.kind === 'broken' ? report.message : report })),
        );
    };
    const stopListening = listen(child, { onReport, onEnd: tooComplex });
    const stopWatching = child.pid === undefined ? () => {} : watchProcess(child.pid, { clock, limits, onExcess: tooComplex });
    const onAbort = (): void => settle(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    function settle(how: () => void): void {
      stopListening();
      stopWatching();
      signal.removeEventListener('abort', onAbort);
      how();
    }
    child.send(job);
  });
}

import { systemClock } from '../backends/clock/system-clock.ts';
import { createLogger } from '../backends/logger/create-logger.ts';
import { loadConfig } from '../config.ts';
import { prepareDataDirectory } from './data-directory.ts';
import { supervise } from './supervise.ts';

/** Time for the store to close after the last run has ended. */
const CLOSE_MS = 10_000;

/** Serves until a signal ends the process. Rejects when the settings or the machine do not allow a start. */
export async function start(): Promise<void> {
  const config = loadConfig({ env: process.env, cwd: process.cwd() });
  const log = createLogger(config.logLevel);
  const doubts = await prepareDataDirectory(config.dataDir);
  for (const warning of [...config.warnings, ...doubts]) log.warn(warning);
  // Loaded only with good settings, so that a mistake in them is answered at once.
  const { startApp } = await import('../app.ts');
  const storeDeath = Promise.withResolvers<Error>();
  const app = startApp(config, {
    log,
    onStoreDeath: storeDeath.resolve,
    examine: async (running, signal) => {
      const { examineRunning } = await import('./doctor/examine.ts');
      return examineRunning(config, running, signal);
    },
  });
  supervise(app, {
    process,
    clock: systemClock,
    drainMs: config.limits.drainSeconds * 1000 + CLOSE_MS,
    death: storeDeath.promise,
    onFault: (what, error) => log.fatal({ err: error }, what),
  });
  const { url } = await app;
  log.info({ url }, `listening on ${url}`);
}

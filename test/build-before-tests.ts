import { spawnSync } from 'node:child_process';

/** Tests start the built server: brings dist/ up to date once per test run. */
export function setup(): void {
  const script = new URL('../scripts/build-when-stale.mjs', import.meta.url);
  const { status } = spawnSync(process.execPath, [script.pathname, '--keep-going'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('Building dist/ failed: run "npm run build" to see why.');
}

import { spawnSync } from 'node:child_process';

/** The system's own Python: where Debian's packages are, whatever a version manager puts first in PATH. */
export const PYTHON = '/usr/bin/python3';

/**
 * Whether the system's Python can import these modules. Where it cannot, a loud line says what is skipped, and with POLYLOGUE_REQUIRE_ALL=1 it
 * throws.
 */
export function canImport(...modules: readonly string[]): boolean {
  const { status } = spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' });
  if (status === 0) return true;
  missing(`${PYTHON} cannot import ${modules.join(' and ')} (Debian: ${modules.map((name) => `python3-${name}`).join(' ')})`);
  return false;
}

/** Says loudly what tests are skipped for; with POLYLOGUE_REQUIRE_ALL=1 it throws. */
export function missing(what: string): void {
  if (process.env.POLYLOGUE_REQUIRE_ALL === '1') throw new Error(`${what}, and POLYLOGUE_REQUIRE_ALL=1 forbids skipping.`);
  process.stderr.write(`\n*** SKIPPED: ${what} ***\n\n`);
}

import { refuseOldNode } from './node-version.ts';

const refusal = refuseOldNode(process.versions.node);
if (refusal === null) {
  // Imported only now: an old Node fails on the import itself, with words that help nobody.
  const { runCommand } = await import('./cli/run-command.ts');
  await runCommand(['start', ...process.argv.slice(2)]);
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 1;
}

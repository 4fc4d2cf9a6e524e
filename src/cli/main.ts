#!/usr/bin/env node
import { refuseOldNode } from '../node-version.ts';

const refusal = refuseOldNode(process.versions.node);
if (refusal === null) {
  const { runCommand } = await import('./run-command.ts');
  await runCommand(process.argv.slice(2));
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 1;
}

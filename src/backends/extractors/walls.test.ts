import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { childrenOf } from '../../../test/support/child-processes.ts';
import { createDocumentFolder, type DocumentFolder } from '../../../test/support/document-folder.ts';
import { textPdf } from '../../../test/support/pdf-documents.ts';
import { runToSuccess } from '../../../test/support/run-program.ts';
import type { Extractor } from '../../core/ports/extractor.ts';
import { systemClock } from '../clock/system-clock.ts';
import { createExtractor } from './create-extractor.ts';

let folder: DocumentFolder;
let extractor: Extractor;
beforeAll(() => {
  folder = createDocumentFolder();
  extractor = createExtractor({ clock: systemClock, timeMs: 60_000 });
});
afterAll(async () => {
  await extractor.close();
  folder.remove();
});

/** What somebody would try who had got hold of the process, each with what came of it. */
const BREAKOUT = `
  const attempts = {
    write: () => require('node:fs').writeFileSync(process.argv[2], 'x'),
    start: () => require('node:child_process').spawnSync('true').error ?? 'started',
    load: () => process.dlopen({ exports: {} }, process.argv[2]),
    evaluate: () => Function('return 1')(),
    read: () => require('node:fs').readFileSync(__filename) && 'read',
  };
  const outcomes = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try { outcomes[name] = String(attempt()); } catch (error) { outcomes[name] = error.code ?? error.name; }
  }
  console.log(JSON.stringify(outcomes));
`;

test('what runs as the reading process does can read files, and nothing else', async () => {
  await extractor.extract({ file: folder.put(textPdf(['a page'])), type: 'pdf', signal: new AbortController().signal });
  const [reader = 0] = childrenOf(process.pid, 'extractors/reader');
  const [, ...line] = readFileSync(`/proc/${reader}/cmdline`, 'utf8').split('\0');
  const options = line.slice(
    0,
    line.findIndex((word) => !word.startsWith('--')),
  );
  const target = join(folder.put(Buffer.alloc(0)), '..', 'written');
  const { stdout } = await runToSuccess([process.execPath, ...options, folder.put(Buffer.from(BREAKOUT)), target]);
  expect(JSON.parse(stdout)).toEqual({
    write: 'ERR_ACCESS_DENIED',
    start: 'ERR_ACCESS_DENIED',
    load: 'ERR_DLOPEN_DISABLED',
    evaluate: 'EvalError',
    read: 'read',
  });
  expect(existsSync(target)).toBe(false);
});

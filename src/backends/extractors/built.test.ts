import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentFolder, type DocumentFolder } from '../../../test/support/document-folder.ts';
import { docx } from '../../../test/support/docx-documents.ts';
import { textPdf } from '../../../test/support/pdf-documents.ts';

const at = (path: string): string => JSON.stringify(new URL(`../../../dist/backends/${path}`, import.meta.url).href);

let folder: DocumentFolder;
beforeAll(() => {
  folder = createDocumentFolder();
});
afterAll(() => folder.remove());

test('the built extractor reads documents, and a program that forgets to close it ends all the same', () => {
  const documents = [
    { file: folder.put(textPdf(['built'])), name: 'a.pdf' },
    { file: folder.put(docx('<w:p><w:r><w:t>words</w:t></w:r></w:p>')), name: 'a.docx' },
    { file: folder.put('<!doctype html><p>page'), name: 'a.html' },
    { file: folder.put('# Text'), name: 'a.md' },
  ];
  const program = `
    import { systemClock } from ${at('clock/system-clock.js')};
    import { createExtractor } from ${at('extractors/create-extractor.js')};
    const extractor = createExtractor({ clock: systemClock });
    for (const document of ${JSON.stringify(documents)}) {
      const type = await extractor.detect(document);
      const { pages } = await extractor.extract({ file: document.file, type, signal: new AbortController().signal });
      console.log(type, ...pages);
    }`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  expect(output.trim().split('\n')).toEqual(['pdf built', 'docx words', 'html page', 'markdown # Text']);
});

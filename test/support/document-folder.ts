import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for documents of a test. */
export interface DocumentFolder {
  /** Writes a document under a name that says nothing and gives its path. */
  put(bytes: Buffer | string): string;
  remove(): void;
}

export function createDocumentFolder(): DocumentFolder {
  const directory = mkdtempSync(join(tmpdir(), 'polylogue-documents-'));
  let count = 0;
  return {
    put: (bytes) => {
      count += 1;
      const file = join(directory, `document-${count}`);
      writeFileSync(file, bytes);
      return file;
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}

import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { Parser } from 'htmlparser2';
import type { Entry, ZipFile } from 'yauzl';
import { fromBufferPromise } from 'yauzl';
import { ExtractionError } from '../../../core/ports/extractor.ts';
import { markedEncoding } from '../byte-order-mark.ts';
import type { PageWriter } from '../page-writer.ts';
import { createWordText } from './word-text.ts';

const MAX_ENTRIES = 10_000;

/** The parts of a Word document that hold text, in the order they are read. */
const PARTS: readonly RegExp[] = [/^word\/document\d*\.xml$/, /^word\/footnotes\d*\.xml$/, /^word\/endnotes\d*\.xml$/];

/** Whatever is wrong with an archive is the document's fault. */
async function orDamaged<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ExtractionError || error instanceof RangeError) throw error;
    throw new ExtractionError('damaged');
  }
}

async function findParts(archive: ZipFile): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for await (const entry of archive.eachEntry()) {
    if (archive.entriesRead > MAX_ENTRIES) throw new ExtractionError('too_complex');
    if (PARTS.some((part) => part.test(entry.fileName))) found.push(entry);
  }
  const rank = (entry: Entry): number => PARTS.findIndex((part) => part.test(entry.fileName));
  return found.toSorted((one, other) => rank(one) - rank(other));
}

/** Feeds a part's XML as it is inflated, for as long as there is room. */
async function readPart(stream: Readable, words: ReturnType<typeof createWordText>): Promise<void> {
  const parser = new Parser(words.handler, { xmlMode: true });
  let decoder: TextDecoder | null = null;
  for await (const chunk of stream) {
    decoder ??= new TextDecoder(markedEncoding(chunk) ?? 'utf-8');
    parser.write(decoder.decode(chunk, { stream: true }));
    if (words.isFull()) return;
  }
  parser.end();
}

/** Writes a Word document's text as one page: its body, then its notes. Nothing else in the archive is inflated. */
export async function readDocx(bytes: Uint8Array, writer: PageWriter): Promise<number> {
  const words = createWordText(writer);
  await orDamaged(
    (async () => {
      const archive = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { autoClose: false });
      for (const part of await findParts(archive)) {
        if (!words.isFull()) await readPart(await archive.openReadStreamPromise(part), words);
      }
    })(),
  );
  writer.add(words.text(), words.isFull());
  return 1;
}

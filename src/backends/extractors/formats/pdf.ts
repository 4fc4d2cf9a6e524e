import { PDFiumModule } from '@hyzyla/pdfium';
import { ExtractionError } from '../../../core/ports/extractor.ts';
import type { PageWriter } from '../page-writer.ts';

type Pdfium = Awaited<ReturnType<typeof PDFiumModule>>;

/** FPDF_GetLastError (fpdfview.h). */
const ERROR_PASSWORD = 4;
const ERROR_SECURITY = 5;

async function loadPdfium(): Promise<Pdfium> {
  const pdfium = await PDFiumModule({});
  pdfium._FPDF_InitLibraryWithConfig({ version: 2 });
  return pdfium;
}

let loaded: Promise<Pdfium> | null = null;

/** Memory of the engine's own, given back whatever happens. */
function withMemory<T>(pdfium: Pdfium, bytes: number, use: (address: number) => T): T {
  const address = pdfium.wasmExports.malloc(bytes);
  if (address === 0) throw new ExtractionError('too_complex');
  try {
    return use(address);
  } finally {
    pdfium.wasmExports.free(address);
  }
}

function openDocument(pdfium: Pdfium, address: number, size: number): number {
  const document = pdfium._FPDF_LoadMemDocument(address, size, 0);
  if (document !== 0) return document;
  const error = pdfium._FPDF_GetLastError();
  throw new ExtractionError(error === ERROR_PASSWORD || error === ERROR_SECURITY ? 'encrypted' : 'damaged');
}

function textOf(pdfium: Pdfium, textPage: number, maxCharacters: number): string {
  const count = Math.min(pdfium._FPDFText_CountChars(textPage), maxCharacters);
  if (count <= 0) return '';
  return withMemory(pdfium, (count + 1) * 2, (address) => {
    const units = pdfium._FPDFText_GetText(textPage, 0, count, address);
    // The count of units includes the NUL that ends them.
    return new TextDecoder('utf-16le').decode(pdfium.HEAPU8.subarray(address, address + Math.max(0, units - 1) * 2));
  });
}

/** A page's text; null when the page cannot be read. */
function readPage(pdfium: Pdfium, page: number, maxCharacters: number): string | null {
  if (page === 0) return null;
  try {
    const textPage = pdfium._FPDFText_LoadPage(page);
    if (textPage === 0) return null;
    try {
      return textOf(pdfium, textPage, maxCharacters);
    } finally {
      pdfium._FPDFText_ClosePage(textPage);
    }
  } finally {
    pdfium._FPDF_ClosePage(page);
  }
}

/** Unreadable pages are empty ones, so that the others keep their numbers. */
function readPages(pdfium: Pdfium, document: number, writer: PageWriter): number {
  const pageCount = pdfium._FPDF_GetPageCount(document);
  let readable = false;
  for (let index = 0; index < pageCount && writer.hasRoom(); index += 1) {
    // One more than there is room for tells whether something is left out.
    const text = readPage(pdfium, pdfium._FPDF_LoadPage(document, index), writer.room() + 1);
    readable ||= text !== null;
    writer.add(text ?? '');
  }
  if (!readable) throw new ExtractionError('damaged');
  return pageCount;
}

/**
 * Writes the pages of a PDF by PDFium. Its library's own page objects are not used: they never close a page, so that each document would stay
 * in memory.
 */
export async function readPdf(bytes: Uint8Array, writer: PageWriter): Promise<number> {
  loaded ??= loadPdfium();
  const pdfium = await loaded;
  return withMemory(pdfium, bytes.length, (address) => {
    pdfium.HEAPU8.set(bytes, address);
    const document = openDocument(pdfium, address, bytes.length);
    try {
      return readPages(pdfium, document, writer);
    } finally {
      pdfium._FPDF_CloseDocument(document);
    }
  });
}

/** Readers look for the header in the first kilobyte (ISO 32000-1, annex H, note 13). */
const SEARCHED_BYTES = 1024;

/** Beginnings of files that are something else, whatever follows. */
const OTHER_FORMATS: readonly string[] = [
  'PK', // ZIP and all that are made of it
  'MZ', // Windows programs
  '\x7fELF',
  '\xca\xfe\xba\xbe', // Java classes, macOS programs
  '\xfe\xed\xfa',
  '\xcf\xfa\xed\xfe',
  '\xce\xfa\xed\xfe',
  '\0asm',
  '\x89PNG',
  'GIF8',
  '\xff\xd8\xff', // JPEG
  'BM',
  'II*\0', // TIFF
  'MM\0*',
  'RIFF',
  'OggS',
  'ID3',
  'fLaC',
  '\x1aE\xdf\xa3', // Matroska
  '\x1f\x8b', // gzip
  'BZh',
  '\xfd7zXZ',
  '7z\xbc\xaf',
  'Rar!',
  '\xd0\xcf\x11\xe0', // OLE: old Office files
  'SQLite format 3',
  '{\\rtf',
  '%!PS',
];

/** Where some formats have their sign later than at the start. */
const OTHER_FORMATS_LATER: readonly { readonly at: number; readonly sign: string }[] = [
  { at: 4, sign: 'ftyp' }, // MP4
  { at: 257, sign: 'ustar' }, // tar
];

/** What opens markup, a comment or a string in which a script could hide the rest of the file. */
const CODE = /[<#"'`]|\/[/*]|^=/m;

function isSomethingElse(before: string): boolean {
  return (
    OTHER_FORMATS.some((sign) => before.startsWith(sign)) ||
    OTHER_FORMATS_LATER.some(({ at, sign }) => before.startsWith(sign, at)) ||
    CODE.test(before)
  );
}

/**
 * Where a PDF's header stands: `first`, at once or behind white space; `behind` the header lines of a transfer or print job, or other bytes that
 * mean nothing; `hidden` in something else.
 */
export function pdfHeaderOf(head: Buffer): 'first' | 'behind' | 'hidden' | 'none' {
  const text = head.subarray(0, SEARCHED_BYTES).toString('latin1');
  const at = text.indexOf('%PDF-');
  if (at < 0) return 'none';
  const before = text.slice(0, at);
  if (before.replaceAll('\0', '').trim() === '') return 'first';
  return isSomethingElse(before) ? 'hidden' : 'behind';
}

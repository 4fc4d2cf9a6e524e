/** Bytes that the first page keeps for the file's own header. */
const FILE_HEADER = 100;
const INTERIOR_INDEX = 2;
const INTERIOR_TABLE = 5;
const LEAF_INDEX = 10;
const LEAF_TABLE = 13;

/**
 * Where a page of a tree uses nothing: between its list of cells and the cells themselves. Null for any other page, and for one whose
 * header does not look right. The layout is that of https://www.sqlite.org/fileformat2.html#b_tree_pages.
 */
function unusedSpace(page: Buffer, first: boolean): { readonly start: number; readonly end: number } | null {
  const header = first ? FILE_HEADER : 0;
  const headerSize = headerSizeOf(page.readUInt8(header));
  if (headerSize === null) return null;
  const cells = page.readUInt16BE(header + 3);
  const start = header + headerSize + 2 * cells;
  const end = page.readUInt16BE(header + 5) || 65536;
  return start < end && end <= page.length ? { start, end } : null;
}

function headerSizeOf(type: number): number | null {
  switch (type) {
    case LEAF_INDEX:
    case LEAF_TABLE:
      return 8;
    case INTERIOR_INDEX:
    case INTERIOR_TABLE:
      return 12;
    default:
      // Other pages begin with the high byte of a page number, which is 0 in any file below 128 GB.
      return null;
  }
}

/** Zeroes what a page does not use; tells whether anything stood there. */
export function clearUnusedSpace(page: Buffer, first: boolean): boolean {
  const space = unusedSpace(page, first);
  if (space === null) return false;
  const unused = page.subarray(space.start, space.end);
  if (unused.every((byte) => byte === 0)) return false;
  unused.fill(0);
  return true;
}

// Not imported: with an import of node:http, Node.js loads its fetch() too, which costs every start 30 ms.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** An HTTP status in words (RFC 9110), `Error` for one that has none. */
export function statusTitle(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

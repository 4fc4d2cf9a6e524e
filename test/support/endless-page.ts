/** With some more the page would be refused at once. */
const OPEN_ELEMENTS = 9900;
const STRAY_ENDS = 6_000_000;

/** A web page of 24 MB that takes about a minute: each of its ends is looked for among all elements that are open. */
export function endlessPage(): Buffer {
  return Buffer.concat([Buffer.from(`<html>${'<b>'.repeat(OPEN_ELEMENTS)}`), Buffer.alloc(STRAY_ENDS * 4, '</i>')]);
}

import { markedEncoding } from './byte-order-mark.ts';

/** What may stand before a page's first element: white space, comments, an XML declaration. */
const PREAMBLE = /^(?:\s+|<!--[\s\S]{0,2000}?-->|<\?xml[^>]{0,200}\?>)/;
const DOCUMENT = /^<(?:!doctype\s+html|html|head|body)[\s/>]/i;
/** Elements by which browsers tell a page (WHATWG MIME Sniffing, 7.1). */
const ELEMENT = /^<(?:script|iframe|h1|div|font|table|a|style|title|b|br|p)[\s/>]/i;

function firstMarkup(head: Buffer): string {
  let text = new TextDecoder(markedEncoding(head) ?? 'latin1').decode(head);
  for (let skipped = PREAMBLE.exec(text); skipped !== null; skipped = PREAMBLE.exec(text)) text = text.slice(skipped[0].length);
  return text.slice(0, 100);
}

/** Whether a file says that it is an HTML document. */
export function isMarkup(head: Buffer): boolean {
  return DOCUMENT.test(firstMarkup(head));
}

/** Whether a file begins with an HTML element, as a piece of a page does, or a Markdown text. */
export function startsLikeMarkup(head: Buffer): boolean {
  return ELEMENT.test(firstMarkup(head));
}

import type { Handler } from 'htmlparser2';
import type { PageWriter } from '../page-writer.ts';
import { checkDepth } from './nesting.ts';

const UNSEEN: ReadonlySet<string> = new Set(
  'script style template noscript iframe noembed noframes object embed canvas svg audio video datalist'.split(' '),
);

/** Elements that stand in lines of their own. */
const BLOCKS: ReadonlySet<string> = new Set(
  'address article aside body caption dd details div dl dt fieldset figcaption figure footer form header hr legend li main nav ol option section summary tbody tfoot thead title tr ul'.split(
    ' ',
  ),
);

/** Elements with an empty line around them. */
const PARAGRAPHS: ReadonlySet<string> = new Set('p h1 h2 h3 h4 h5 h6 pre blockquote table'.split(' '));

/** Line breaks that an element brings with it, before and after. */
function breaksAround(name: string): number {
  if (PARAGRAPHS.has(name)) return 2;
  return BLOCKS.has(name) ? 1 : 0;
}

/** Lays text out as a browser would print it: white space collapses but in `pre`, line breaks between blocks never pile up. */
function createLayout() {
  const chunks: string[] = [];
  let length = 0;
  /** What waits between the last word and the next: line breaks, else the ends of cells, else a space. */
  let breaks = 0;
  let tabs = 0;
  let space = false;
  const put = (text: string): void => {
    chunks.push(text);
    length += text.length;
  };
  const separate = (): void => {
    if (length > 0) {
      if (breaks > 0) put('\n'.repeat(breaks));
      else if (tabs > 0) put('\t'.repeat(tabs));
      else if (space && !/\s$/.test(chunks.at(-1) ?? '')) put(' ');
    }
    breaks = 0;
    tabs = 0;
    space = false;
  };
  const addVerbatim = (text: string): void => {
    separate();
    put(text);
  };
  return {
    breakLine: (count: number) => {
      breaks = Math.max(breaks, count);
      if (breaks > 0) tabs = 0;
    },
    endCell: () => {
      tabs += 1;
    },
    addText: (text: string) => {
      const words = text.replace(/[ \t\n\f\r]+/g, ' ');
      if (words.startsWith(' ')) space = true;
      const visible = words.slice(words.startsWith(' ') ? 1 : 0, words.endsWith(' ') ? -1 : undefined);
      if (visible === '') return;
      addVerbatim(visible);
      space = words.endsWith(' ');
    },
    addVerbatim,
    text: () => chunks.join(''),
    length: () => length,
  };
}

/** The text that a browser would show of a page's elements as they come. */
export function createHtmlText(writer: PageWriter) {
  const layout = createLayout();
  const room = writer.room();
  let depth = 0;
  /** The depth from which on nothing is seen. */
  let unseenFrom: number | null = null;
  let preformatted = 0;

  const onOpen = (name: string, attributes: Readonly<Record<string, string>>): void => {
    depth += 1;
    checkDepth(depth);
    if (UNSEEN.has(name) || attributes.hidden !== undefined) unseenFrom ??= depth;
    if (unseenFrom !== null) return;
    if (name === 'pre') preformatted += 1;
    layout.breakLine(breaksAround(name));
    if (name === 'br') layout.addVerbatim('\n');
    if (name === 'li') layout.addVerbatim('- ');
    if (name === 'img') layout.addText(` ${attributes.alt ?? ''} `);
  };
  const onClose = (name: string): void => {
    if (unseenFrom === null) {
      if (name === 'pre') preformatted -= 1;
      if (name === 'td' || name === 'th') layout.endCell();
      layout.breakLine(breaksAround(name));
    }
    if (unseenFrom === depth) unseenFrom = null;
    depth -= 1;
  };
  const handler: Partial<Handler> = {
    onopentag: onOpen,
    onclosetag: onClose,
    ontext: (text) => {
      if (unseenFrom !== null) return;
      if (preformatted > 0) layout.addVerbatim(text);
      else layout.addText(text);
    },
  };
  return { handler, text: layout.text, isFull: () => layout.length() > room || !writer.hasRoom() };
}

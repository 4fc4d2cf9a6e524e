import type { Handler } from 'htmlparser2';
import type { PageWriter } from '../page-writer.ts';
import { checkDepth } from './nesting.ts';

/** What a reader of the document does not see: the older twin of a drawing, text that was moved away, and a field's code. */
const UNSEEN: ReadonlySet<string> = new Set(['Fallback', 'moveFrom', 'del', 'instrText']);

/** What an element of a run stands for. */
const SIGNS: Readonly<Record<string, string>> = { tab: '\t', ptab: '\t', br: '\n', cr: '\n', noBreakHyphen: '-' };

/** What the end of an element stands for; a paragraph in a table's cell ends no line. */
function separatorAfter(name: string, inCell: boolean): string {
  if (name === 'p') return inCell ? ' ' : '\n';
  if (name === 'tc') return '\t';
  return name === 'tr' ? '\n' : '';
}

function isOff(attributes: Readonly<Record<string, string>>): boolean {
  return ['0', 'false', 'off'].includes(attributes['w:val'] ?? '');
}

/**
 * The text of WordprocessingML (ECMA-376 part 1, 17) as its elements come: paragraphs and table rows are lines, cells end with a tab. Prefixes of
 * names are dropped, so that the text of shapes and formulas (`a:t`, `m:t`) comes along.
 */
export function createWordText(writer: PageWriter) {
  const chunks: string[] = [];
  const open: string[] = [];
  const room = writer.room();
  let length = 0;
  let cells = 0;
  /** The depth from which on nothing is seen. */
  let unseenFrom: number | null = null;
  let hiddenRun = false;

  const put = (text: string): void => {
    if (unseenFrom !== null || hiddenRun || length > room) return;
    chunks.push(text);
    length += text.length;
  };
  /** A separator that another one replaces. */
  const drop = (separator: string): void => {
    if (chunks.at(-1) === separator) chunks.pop();
  };
  const onOpen = (name: string, attributes: Readonly<Record<string, string>>): void => {
    const parent = open.at(-1);
    open.push(name);
    checkDepth(open.length);
    if (UNSEEN.has(name)) unseenFrom ??= open.length;
    if (name === 'r') hiddenRun = false;
    if (name === 'vanish' && parent === 'rPr' && open.at(-3) === 'r' && !isOff(attributes)) hiddenRun = true;
    if (name === 'tc') cells += 1;
    if (parent === 'r') put(SIGNS[name] ?? '');
  };
  const onClose = (name: string): void => {
    if (name === 'r') hiddenRun = false;
    if (name === 'tc') cells -= 1;
    if (name === 'tc') drop(' ');
    if (name === 'tr') drop('\t');
    put(separatorAfter(name, cells > 0));
    if (unseenFrom === open.length) unseenFrom = null;
    open.pop();
  };
  const handler: Partial<Handler> = {
    onopentag: (name, attributes) => onOpen(localName(name), attributes),
    onclosetag: (name) => onClose(localName(name)),
    ontext: (text) => {
      if (open.at(-1) === 't') put(text);
    },
  };
  return { handler, text: () => chunks.join(''), isFull: () => length > room || !writer.hasRoom() };
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

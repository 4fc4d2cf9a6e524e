import { Parser } from 'htmlparser2';

const SKIPPED: ReadonlySet<string> = new Set(['script', 'style', 'template', 'noscript', 'svg', 'iframe', 'head']);
const INLINE: ReadonlySet<string> = new Set(['a', 'abbr', 'b', 'code', 'em', 'i', 'mark', 'small', 'span', 'strong', 'sub', 'sup', 'u']);

/** The parser looks through all open elements at each tag: a page of nothing but opening tags would take minutes. */
const DEEPEST = 200;
const PIECE_CHARACTERS = 4_096;
const TOO_DEEP = '\n[The page is nested too deeply. The rest was left out.]';

/** The visible text of a page, a block a line; its title first. Where elements are nested too deeply it ends, and says so. */
export function textOfMarkup(html: string): string {
  let text = '';
  let open = 0;
  let skipped = 0;
  let inTitle = false;
  const parser = new Parser({
    onopentagname(name) {
      open += 1;
      inTitle = name === 'title' && skipped <= 1;
      if (SKIPPED.has(name)) skipped += 1;
      if (!INLINE.has(name)) text += '\n';
    },
    onclosetag(name) {
      open -= 1;
      inTitle = false;
      if (SKIPPED.has(name)) skipped -= 1;
      if (!INLINE.has(name)) text += '\n';
    },
    ontext(piece) {
      if (skipped === 0 || inTitle) text += piece;
    },
  });
  let read = 0;
  for (; read < html.length && open <= DEEPEST; read += PIECE_CHARACTERS) parser.write(html.slice(read, read + PIECE_CHARACTERS));
  if (open > DEEPEST) text += TOO_DEEP;
  else parser.end();
  return text
    .replace(/[ \t\r\f]+/g, ' ')
    .replace(/ ?\n[\n ]*/g, '\n')
    .trim();
}

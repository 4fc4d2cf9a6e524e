/** How languages say "page" before its number, and behind it. */
const BEFORE =
  'pages?|pp?|pgs?|seiten?|s|pagina|paginas|pagine|pag|strona|stronie|strony|stron|str|strana|strane|sida|sidan|side|sidene|sivu|sivulla|sivut|' +
  'oldal|sayfa|trang|halaman|hal|страница|странице|страницы|страниц|стр|сторинка|сторінка|сторінці|σελιδα|σελ|صفحة|الصفحة|صفحه|עמוד|דף|पृष्ठ|第|頁|页|ページ|쪽|페이지';
const BEHIND = 'pages?|seite|oldal|oldalon|sayfa|sivu|страница|странице|頁|页|ページ|쪽|페이지';
const NUMBER = '(\\d{1,5})(?:\\s*(?:-|–|—|to|until|bis|a|à|do|till|〜|~)\\s*(\\d{1,5}))?';
const MENTION = new RegExp(
  `(?:(?<![\\p{L}\\p{N}'’])(?:${BEFORE})\\.?\\s{0,3}${NUMBER}(?![\\p{Script=Latin}\\p{N}])|(?<![\\p{L}\\p{N}])${NUMBER}(?:st|nd|rd|th|\\.)?\\s{0,3}(?:${BEHIND}))`,
  'gu',
);
const MOST_PAGES = 20;

/** The pages that a folded question names by their numbers, in its order. */
export function mentionedPages(question: string): readonly number[] {
  const pages = new Set<number>();
  for (const [, first, last, ordinal, lastOrdinal] of question.matchAll(MENTION)) {
    const from = Number(first ?? ordinal);
    const to = Math.max(from, Number(last ?? lastOrdinal ?? from));
    for (let page = from; page <= to && pages.size < MOST_PAGES; page += 1) if (page > 0) pages.add(page);
  }
  return [...pages];
}

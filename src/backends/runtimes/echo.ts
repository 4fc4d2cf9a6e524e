/** Told of the text of a step that is made again, gives what of it readers have not seen. */
interface Echo {
  /** What to show of the next piece. */
  hear(text: string): string;
}

const BETWEEN = '\n\n';

/**
 * Readers have seen `seen` of a step that did not end, and nothing takes it back. As long as the step says the same again, it is kept from
 * them; where it says something else, all of what it says now follows behind a blank line.
 */
export function createEcho(seen: string): Echo {
  let heard = 0;
  let over = seen === '';
  return {
    hear(text) {
      if (over) return text;
      const same = sharedLength(text, seen.slice(heard));
      const before = seen.slice(0, heard);
      heard += same;
      over = same < text.length || heard === seen.length;
      if (same === text.length) return '';
      return heard === seen.length ? text.slice(same) : BETWEEN + (before + text).replace(/^\n+/, '');
    },
  };
}

/** How many code units two texts begin with alike. */
function sharedLength(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at += 1) if (a[at] !== b[at]) return at;
  return end;
}

import { createHash } from 'node:crypto';

const ILLEGAL = /[^A-Za-z0-9_-]/g;
const MAX_LENGTH = 64;
const MARK_LENGTH = 8;

/**
 * The names under which a model gets a server's tools, by their own names: `<server>_<tool>`, every provider's alphabet, 64 characters, each once.
 * A name that had to be changed gives way to one that is legal by itself.
 */
export function toolNames(server: string, own: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const wanted = [...new Set(own)].map((tool) => ({ tool, name: `${server}_${tool}` }));
  const isLegal = ({ name }: { name: string }) => name.length <= MAX_LENGTH && name.search(ILLEGAL) === -1;
  const taken = new Set(wanted.filter(isLegal).map(({ name }) => name));
  for (const entry of wanted) {
    if (isLegal(entry)) {
      names.set(entry.tool, entry.name);
      continue;
    }
    const mended = entry.name.replace(ILLEGAL, '_');
    const name = mended.length > MAX_LENGTH || taken.has(mended) ? marked(mended, entry.tool) : mended;
    taken.add(name);
    names.set(entry.tool, name);
  }
  return names;
}

/** Cut, and ending in what tells it from others that begin so. */
function marked(name: string, tool: string): string {
  const mark = createHash('sha256').update(tool).digest('hex').slice(0, MARK_LENGTH);
  return `${name.slice(0, MAX_LENGTH - MARK_LENGTH - 1)}_${mark}`;
}

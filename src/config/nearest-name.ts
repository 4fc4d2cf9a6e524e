/** The known name that a mistyped one most likely means; null when none is near. */
export function nearestName(typed: string, known: readonly string[]): string | null {
  const most = Math.max(1, Math.floor(typed.length / 3));
  const near = known.map((name) => ({ name, distance: distanceOf(typed.toLowerCase(), name.toLowerCase(), most) }));
  return near.filter(({ distance }) => distance <= most).sort((left, right) => left.distance - right.distance)[0]?.name ?? null;
}

/** How many characters must be added, removed or replaced (Levenshtein); anything above `most` when it is more than that. */
function distanceOf(left: string, right: string, most: number): number {
  if (Math.abs(left.length - right.length) > most) return most + 1;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

/** The known name that somebody who wrote `name` most likely meant: the same letters, or one or two of them wrong. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const letters = lettersOf(name);
  if (letters.length > 60) return undefined;
  let best: string | undefined;
  let least = letters.length < 3 ? 1 : letters.length < 5 ? 2 : 3;
  for (const candidate of known) {
    const distance = edits(letters, lettersOf(candidate), least);
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

function lettersOf(name: string): string {
  return name
    .slice(0, 100)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
}

/** Levenshtein's distance, two neighbours that changed places counted as one, or `enough` when it is at least that. */
function edits(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let before: readonly number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const other = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? (before[j - 2] ?? enough) + 1 : enough;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, other, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? enough;
}

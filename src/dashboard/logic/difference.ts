import { diffLines } from "diff";

/** What differs between two texts, line by line. Pure. */
export interface Compared {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
}
/** Lines that are the same in both and stand far from every change. */
interface Skipped {
  readonly kind: "skipped";
  readonly count: number;
}

/** Equal lines that are shown beside a change. */
const context = 3;
/** Two texts without a line in common take longer to compare than anybody waits. */
const maxTime = 2000;

/** @returns no lines for equal texts; `undefined` where the comparison would take too long */
export function differenceOf(before: string, after: string): readonly (Compared | Skipped)[] | undefined {
  const changes = diffLines(before, after, { timeout: maxTime, stripTrailingCr: true, ignoreNewlineAtEof: true });
  if (changes === undefined) return undefined;
  const lines = changes.flatMap(({ value, added, removed }) =>
    value
      .replace(/\n$/, "")
      .split("\n")
      .map((text): Compared => ({ kind: added ? "added" : removed ? "removed" : "same", text })),
  );
  return folded(lines);
}

function folded(lines: readonly Compared[]): readonly (Compared | Skipped)[] {
  const isNear = lines.map(() => false);
  for (const [index, { kind }] of lines.entries())
    if (kind !== "same") isNear.fill(true, Math.max(0, index - context), index + context + 1);
  if (!isNear.includes(true)) return [];
  const shown: (Compared | Skipped)[] = [];
  let count = 0;
  const skip = (): void => {
    if (count > 0) shown.push({ kind: "skipped", count });
    count = 0;
  };
  for (const [index, line] of lines.entries()) {
    if (!isNear[index]) {
      count++;
      continue;
    }
    skip();
    shown.push(line);
  }
  skip();
  return shown;
}

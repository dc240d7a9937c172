import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { rounded, type Benchmark, type Figure } from "./benchmark.ts";

/** What scripts/build-app.mjs says of each file of the app. */
const partsShape = z.array(
  z.object({ path: z.string(), bytes: z.number(), atStart: z.boolean(), packages: z.record(z.string(), z.number()) }),
);

export interface Bundle {
  readonly bytes: number;
  readonly bytesAtStart: number;
  /** Of the whole and of what each start loads: bytes of each package, the largest first. */
  readonly packages: ReadonlyMap<string, { readonly all: number; readonly atStart: number }>;
  readonly paths: readonly string[];
}

/** The bundle of the last build. */
export function readBundle(): Bundle {
  const file = new URL("../dist-local/bundle.json", import.meta.url);
  const files = partsShape.parse(JSON.parse(readFileSync(file, "utf8")));
  const sums = new Map<string, { all: number; atStart: number }>();
  for (const { packages, atStart } of files)
    for (const [name, bytes] of Object.entries(packages)) {
      const sum = sums.get(name) ?? { all: 0, atStart: 0 };
      sums.set(name, { all: sum.all + bytes, atStart: sum.atStart + (atStart ? bytes : 0) });
    }
  const total = (of: typeof files): number => of.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    bytes: total(files),
    bytesAtStart: total(files.filter(({ atStart }) => atStart)),
    packages: new Map([...sums].sort(([, a], [, b]) => b.all - a.all)),
    paths: files.map(({ path }) => path),
  };
}

const kilobytes = (bytes: number): number => Math.round(bytes / 1000);
/** Smaller packages are one figure. */
const shownFrom = 100_000;

export const bundle: Benchmark = {
  name: "bundle",
  run() {
    const { bytes, bytesAtStart, packages, paths } = readBundle();
    const zipped = paths.reduce(
      (sum, path) => sum + gzipSync(readFileSync(new URL(`../${path}`, import.meta.url)), { level: 9 }).length,
      0,
    );
    const size = (name: string, value: number): Figure => ({ name, unit: "KB", value: kilobytes(value) });
    const large = [...packages].filter(([, { all }]) => all >= shownFrom);
    const small = [...packages].filter(([, { all }]) => all < shownFrom);
    const sum = (of: typeof small, read: (size: { all: number; atStart: number }) => number): number =>
      of.reduce((total, [, size]) => total + read(size), 0);
    const figures: Figure[] = [
      size("the app", bytes),
      size("the app, compressed", zipped),
      size("loaded at each start", bytesAtStart),
      ...large.map(([name, { all, atStart }]) =>
        size(`${name}${atStart === 0 ? ", loaded when needed" : atStart < all ? ", at the start in part" : ""}`, all),
      ),
      size(
        `${small.length} other packages`,
        sum(small, ({ all }) => all),
      ),
    ];
    return Promise.resolve({
      figures,
      detail: {
        shareAtStart: rounded(bytesAtStart / bytes),
        packages: Object.fromEntries(packages),
      },
    });
  },
};

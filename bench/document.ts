import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { figureShape, isMet, type Figure } from "./benchmark.ts";
import { parts, type PartText } from "./texts.ts";

const results = new URL("results/", import.meta.url);

const machineShape = z.looseObject({
  at: z.string(),
  node: z.string(),
  system: z.string(),
  cpu: z.string(),
  cores: z.number(),
  memoryGB: z.number(),
  loadBefore: z.number(),
  loadAfter: z.number().optional(),
});

export const resultShape = z.looseObject({
  name: z.string(),
  machine: machineShape,
  figures: z.array(figureShape),
});
export type Result = z.infer<typeof resultShape>;

/** The results that stand in bench/results/. */
export function readResults(): readonly Result[] {
  return readdirSync(results)
    .filter((file) => file.endsWith(".json"))
    .map((file) => resultShape.parse(JSON.parse(readFileSync(new URL(file, results), "utf8"))));
}

/** docs/benchmarks.md. */
export function benchmarksPage(results: readonly Result[]): string {
  const measured = parts.flatMap((part) => {
    const result = results.find(({ name }) => name === part.name);
    return result === undefined ? [] : [{ part, result }];
  });
  const missed = measured.flatMap(({ part, result }) =>
    result.figures.filter((figure) => !isMet(figure)).map(({ name }) => `${part.title}: ${name}`),
  );
  return `<!-- Made by \`npm run bench\` (and \`npm run docs\`) from bench/results/ and bench/texts.ts: change it there. -->

# Benchmarks

\`npm run bench\` measures all of this on the machine at hand, writes \`bench/results/NAME.json\` and makes this page of it;
\`npm run bench -- NAME\` measures one part. Figures of time are worth little by themselves: they stand beside a floor that was measured in
turn with them, round by round, so that both met the same weather. A ratio is the median of the rounds' ratios, its spread the least and the
most of them. Figures that are counted, not timed, are held by tests, which fail when one grows.

${missed.length === 0 ? "All goals are met." : `Goals that are missed: ${missed.join("; ")}. Each part says why.`}

${measured.map(({ part, result }) => sectionOf(part, result)).join("\n")}`;
}

function sectionOf({ name, title, about, misses }: PartText, { machine, figures }: Result): string {
  const { at, node, cpu, cores, memoryGB, loadBefore, loadAfter } = machine;
  const load = [loadBefore, loadAfter].flatMap((value) => (value === undefined ? [] : [value.toFixed(1)]));
  const [day = ""] = at.split("T");
  const rows = figures.map((figure) => [
    figure.name,
    withUnit(figure.value, figure.unit),
    figure.floor === undefined ? "" : `${withUnit(figure.floor.value, figure.unit)} (${figure.floor.what})`,
    figure.ratio === undefined ? "" : `${figure.ratio}`,
    figure.spread === undefined ? "" : figure.spread.map(shown).join(" to "),
    goalOf(figure),
  ]);
  const head = ["figure", "measured", "floor", "ratio", "spread", "goal"];
  const used = head.map((_, column) => rows.some((cells) => cells[column] !== ""));
  const line = (cells: readonly string[]): string => `| ${cells.filter((_, column) => used[column]).join(" | ")} |`;
  const paragraphs = [
    `## ${title}`,
    about,
    [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n"),
    ...(misses !== undefined && figures.some((figure) => !isMet(figure)) ? [misses] : []),
    `\`npm run bench -- ${name}\`: ${day}, ${cores} cores (${cpu}), ${memoryGB} GB, Node ${node}, load average ${load.join(" before, ")}${load.length > 1 ? " after" : ""}.`,
  ];
  return `${paragraphs.join("\n\n")}\n`;
}

const shown = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 5 });
const withUnit = (value: number, unit: string): string => (unit === "" ? shown(value) : `${shown(value)} ${unit}`);

function goalOf(figure: Figure): string {
  const { goal } = figure;
  if (goal === undefined) return "";
  const bounds = [
    ...(goal.atMost === undefined ? [] : [`at most ${shown(goal.atMost)}`]),
    ...(goal.atLeast === undefined ? [] : [`at least ${shown(goal.atLeast)}`]),
  ];
  return `${bounds.join(", ")}${goal.of === "ratio" ? " times" : ""}: ${isMet(figure) ? "met" : "**missed**"}`;
}

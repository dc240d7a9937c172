import { z } from "zod";
import type { PartName } from "./texts.ts";

/** How much is measured. */
export interface Plan {
  /** Interleaved rounds of each side; medians are taken over them. */
  readonly rounds: number;
  /** Seconds of load in a round. */
  readonly seconds: number;
  readonly connections: readonly number[];
  /** Where the measured host leaves a CPU profile, if it shall. */
  readonly profileFolder: string | undefined;
}

const range = z.tuple([z.number(), z.number()]);

export const figureShape = z.strictObject({
  name: z.string(),
  value: z.number(),
  /** Of the value and of the floor; "" for a plain number. */
  unit: z.string(),
  /** What it is measured against. */
  floor: z.strictObject({ what: z.string(), value: z.number() }).optional(),
  /** Value over floor: the median of the rounds' own ratios. */
  ratio: z.number().optional(),
  /** The least and the most of the rounds: of the ratio, or of the value where there is no floor. */
  spread: range.optional(),
  goal: z
    .strictObject({ of: z.enum(["value", "ratio"]), atMost: z.number().optional(), atLeast: z.number().optional() })
    .optional(),
});
export type Figure = z.infer<typeof figureShape>;

/** One benchmark: what it returns is written to `bench/results/NAME.json`, and its figures to docs/benchmarks.md. */
export interface Benchmark {
  readonly name: PartName;
  run(plan: Plan, say: (line: string) => void): Promise<Outcome>;
}

export interface Outcome {
  readonly figures: readonly Figure[];
  /** What else was seen; in the JSON alone. */
  readonly detail?: unknown;
}

export function isMet({ value, ratio = NaN, goal }: Figure): boolean {
  if (goal === undefined) return true;
  const measured = goal.of === "ratio" ? ratio : value;
  return measured <= (goal.atMost ?? Infinity) && measured >= (goal.atLeast ?? -Infinity);
}

/** A figure of values and floors measured in turn, round by round. */
export function versusFloor(
  name: string,
  unit: string,
  values: readonly number[],
  floor: { readonly what: string; readonly values: readonly number[] },
  goal?: { readonly atMost?: number; readonly atLeast?: number },
): Figure {
  const ratios = values.map((value, round) => value / (floor.values[round] ?? NaN));
  return {
    name,
    unit,
    value: significant(median(values)),
    floor: { what: floor.what, value: significant(median(floor.values)) },
    // Of less than a unit, as a floor may be, there is no ratio.
    ...(ratios.every(Number.isFinite)
      ? { ratio: significant(median(ratios)), spread: spreadOf(ratios) }
      : { spread: spreadOf(values) }),
    ...(goal === undefined ? {} : { goal: { of: "ratio" as const, ...goal } }),
  };
}

export const spreadOf = (values: readonly number[]): [number, number] => [
  significant(Math.min(...values)),
  significant(Math.max(...values)),
];

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = sorted.length % 2 === 0 ? sorted.slice(middle - 1) : [sorted[middle], sorted[middle]];
  return (low + high) / 2;
}

/** @param share between 0 and 1; by the nearest rank */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** Three digits that mean something; whole numbers as they are. */
export function significant(value: number): number {
  return Number.isInteger(value) ? value : Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

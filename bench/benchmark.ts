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

/** One benchmark: what it returns is written to `bench/results/NAME.json` as it is. */
export interface Benchmark {
  readonly name: string;
  run(plan: Plan, say: (line: string) => void): Promise<object>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = sorted.length % 2 === 0 ? sorted.slice(middle - 1) : [sorted[middle], sorted[middle]];
  return (low + high) / 2;
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

import type { Benchmark } from "./benchmark.ts";
import { figuresOfBundled } from "./script.ts";

const hour = 3_600_000; // on a busy machine

/** See scale/program.ts. */
export const scale: Benchmark = {
  name: "scale",
  run: async () => ({ figures: await figuresOfBundled("scale/program.ts", hour) }),
};

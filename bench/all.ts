import type { Benchmark } from "./benchmark.ts";
import { bundle } from "./bundle.ts";
import { calls } from "./calls.ts";
import { accept, status } from "./http.ts";
import { localAci } from "./local-aci.ts";
import { latency } from "./latency.ts";
import { original } from "./original.ts";
import { overhead } from "./overhead.ts";
import { pipeline } from "./pipeline.ts";
import { polling } from "./polling.ts";
import { scale } from "./scale.ts";
import { start } from "./start.ts";

/** In the order in which they run. */
export const all: readonly Benchmark[] = [
  calls,
  accept,
  status,
  bundle,
  start,
  overhead,
  latency,
  polling,
  pipeline,
  original,
  scale,
  localAci,
];

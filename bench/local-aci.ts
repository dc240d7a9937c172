import { spawnSync } from "node:child_process";
import type { Benchmark } from "./benchmark.ts";
import { figuresOf } from "./script.ts";

/** What the local stack's own Container Instances bear, so that it is not what the other parts measure. */
export const localAci: Benchmark = {
  name: "local-aci",
  async run(_plan, say) {
    const figures = [...(await figuresOf("aci-simulated.ts"))];
    if (spawnSync("podman", ["--version"]).status === 0) figures.push(...(await figuresOf("aci-podman.ts")));
    else say("there is no podman");
    return { figures };
  },
};

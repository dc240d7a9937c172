import type { Benchmark } from "./benchmark.ts";
import { startService, type Side } from "./service.ts";
import { shown, versus, type Versus } from "./versus.ts";

/** Accept and status through the embedded host, each against its floor on the same Azurite. */
export const accept = httpBenchmark("accept", 0.8);
export const status = httpBenchmark("status", 0.85);

/** @param goal of the ratio at 16 connections */
function httpBenchmark(name: keyof Side, goal: number): Benchmark {
  return {
    name,
    async run(plan, say) {
      const results: Versus[] = [];
      for (const connections of plan.connections) {
        // A new Azurite each time: the tables that accepts fill must not slow the next measurement.
        const service = await startService(plan.profileFolder);
        try {
          const result = await versus(service.floor[name], service.app[name], connections, plan);
          say(shown(result));
          results.push(result);
        } finally {
          await service.stop();
        }
      }
      return { goal: { connections: 16, ratio: goal }, results };
    },
  };
}

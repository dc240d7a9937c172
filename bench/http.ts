import { rounded, versusFloor, type Benchmark, type Figure } from "./benchmark.ts";
import { startService } from "./service.ts";
import { versus } from "./versus.ts";

type Call = "accept" | "status" | "link" | "readKey";

/** Accept and status through the embedded host, each against its floor on the same Azurite. */
export const accept = httpBenchmark("accept", ["accept"], { ratio: 0.9, processor: 1.3 });
export const status = httpBenchmark("status", ["status", "link", "readKey"], { ratio: 0.95, processor: 1.1 });

const shown: Record<Call, string> = {
  accept: "accept",
  status: "status by id",
  link: "status through a link",
  readKey: "status with the read key",
};
const what = "a bare server with the same storage calls";

/** @param goals of calls a second at 16 connections, and of the processor's time for each call */
function httpBenchmark(
  name: "accept" | "status",
  calls: readonly Call[],
  goals: { readonly ratio: number; readonly processor: number },
): Benchmark {
  return {
    name,
    async run(plan, say) {
      const figures: Figure[] = [];
      const detail: object[] = [];
      for (const call of calls)
        // Ways that differ in nothing but the guard before them are measured at one number of connections.
        for (const connections of call === "accept" || call === "status" ? plan.connections : [16]) {
          const pairs = await versus(() => startService(plan.profileFolder), call, connections, plan);
          const of = (side: "app" | "floor", read: (load: (typeof pairs)[number]["app"]) => number): number[] =>
            pairs.map((pair) => read(pair[side]));
          const at = `${shown[call]}, ${connections} connection${connections === 1 ? "" : "s"}`;
          const processor = (side: "app" | "floor") => of(side, (load) => load.processorMilliseconds);
          figures.push(
            versusFloor(
              `${at}: calls a second`,
              "",
              of("app", (load) => load.perSecond),
              { what, values: of("floor", (load) => load.perSecond) },
              connections === 16 ? { atLeast: goals.ratio } : undefined,
            ),
            versusFloor(
              `${at}: p50`,
              "ms",
              of("app", (load) => load.p50),
              { what, values: of("floor", (load) => load.p50) },
            ),
            versusFloor(
              `${at}: processor time of a call`,
              "ms",
              processor("app"),
              { what, values: processor("floor") },
              connections === 16 ? { atMost: goals.processor } : undefined,
            ),
          );
          detail.push({ call, connections, pairs });
          const last = figures.slice(-3).map(({ ratio = NaN }) => rounded(ratio, 3));
          say(`${at}: ratios of calls, p50, processor ${last.join(", ")}`);
        }
      return { figures, detail };
    },
  };
}

import { rounded, versusFloor, type Benchmark, type Figure } from "./benchmark.ts";
import { startService, type SideName } from "./service.ts";
import { versus, type Measured } from "./versus.ts";

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
const what = { floor: "a bare server with the same storage calls", bare: "a bare app on the same host" };

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
          const rounds = await versus(() => startService(plan.profileFolder), call, connections, plan);
          const of = (side: SideName, read: (load: Measured) => number): number[] =>
            rounds.map((round) => read(round[side]));
          const at = `${shown[call]}, ${connections} connection${connections === 1 ? "" : "s"}`;
          const figure = (
            title: string,
            unit: string,
            beside: keyof typeof what,
            read: (load: Measured) => number,
            goal?: { readonly atMost?: number; readonly atLeast?: number },
          ): Figure => {
            const floor = { what: what[beside], values: of(beside, read) };
            return versusFloor(`${at}: ${title}`, unit, of("app", read), floor, connections === 16 ? goal : undefined);
          };
          const [speed, processor] = [{ atLeast: goals.ratio }, { atMost: goals.processor }];
          const now = [
            figure("calls a second", "", "floor", (load) => load.perSecond, speed),
            figure("calls a second, beside an app", "", "bare", (load) => load.perSecond, speed),
            figure("p50", "ms", "floor", (load) => load.p50),
            figure("processor time of a call", "ms", "floor", (load) => load.processorMilliseconds, processor),
            figure("the same, beside an app", "ms", "bare", (load) => load.processorMilliseconds, processor),
          ];
          figures.push(...now);
          detail.push({ call, connections, rounds });
          say(
            `${at}: ratios ${now.map(({ name: title, ratio = NaN }) => `${title.replace(/^.*: /, "")} ${rounded(ratio, 3)}`).join(", ")}`,
          );
        }
      return { figures, detail };
    },
  };
}

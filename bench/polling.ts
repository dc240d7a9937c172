import { setTimeout as sleep } from "node:timers/promises";
import { percentile, rounded, significant, type Benchmark, type Figure } from "./benchmark.ts";
import { submit } from "./live-jobs.ts";
import { startLive, type LiveStack } from "./live-stack.ts";

const intervals = ["00:00:00.100", "00:00:00.250", "00:00:00.500", "00:00:02"] as const;
/** Long enough for the pauses between two polls to have grown to their longest. */
const pause = 4500;
const idleTime = 20_000;
const dayTime = 86_400_000;
/** docs/costs.md: dollars for a queue operation. */
const price = 0.004 / 10_000;

interface Side {
  readonly interval: string;
  readonly stack: LiveStack;
  readonly toPut: number[];
}

/** What `maxPollingInterval` gives and takes: four hosts of their own, each asked in turn. */
export const polling: Benchmark = {
  name: "polling",
  async run({ rounds }, say) {
    const sides: Side[] = [];
    try {
      for (const interval of intervals) {
        const env = { AzureFunctionsJobHost__extensions__queues__maxPollingInterval: interval };
        sides.push({ interval, toPut: [], stack: await startLive({ aci: { limits: false }, env }) });
      }
      for (let round = -1; round < 3 * rounds; round++)
        for (const { stack, toPut } of sides) {
          await sleep((Math.random() * pause) / sides.length);
          const took = await accepted(stack, `job-${round + 1}`);
          if (round >= 0) toPut.push(took);
        }
      const figures: Figure[] = [];
      await sleep(pause);
      for (const { interval, stack, toPut } of sides) {
        stack.forget();
        await sleep(idleTime);
        const polls = (stack.seen.emptyPolls * dayTime) / idleTime;
        const at = `\`maxPollingInterval\` ${interval}`;
        figures.push(
          { name: `${at}: accept to PUT, p50`, unit: "s", value: significant(percentile(toPut, 0.5)) },
          { name: `${at}: accept to PUT, p95`, unit: "s", value: significant(percentile(toPut, 0.95)) },
          { name: `${at}: polls a day of an idle instance`, unit: "", value: Math.round(polls / 100) * 100 },
          { name: `${at}: their price in 30 days`, unit: "$", value: rounded(polls * 30 * price) },
        );
        say(
          `${interval}: ${figures
            .slice(-4)
            .map(({ value }) => value)
            .join(", ")}`,
        );
      }
      return { figures };
    } finally {
      for (const { stack } of sides) await stack.stop();
    }
  },
};

/** Seconds from the accept's answer to ARM's PUT. */
async function accepted(stack: LiveStack, name: string): Promise<number> {
  await submit(stack, { name });
  const at = Date.now();
  for (;;) {
    const put = stack.seen.puts.get(name);
    if (put !== undefined) return (put - at) / 1000;
    if (Date.now() - at > 60_000) throw new Error(`ARM got no PUT of ${name} within a minute.`);
    await sleep(20);
  }
}

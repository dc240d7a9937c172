import { setTimeout as sleep } from "node:timers/promises";
import { percentile, rounded, significant, type Benchmark, type Figure } from "./benchmark.ts";
import { coursesOf, submit } from "./live-jobs.ts";
import { startLive, type LiveStack } from "./live-stack.ts";

/** As many jobs at once, each for this long; names are run again until they have a history. */
const sizes = [
  { jobs: 1, rounds: 8 },
  { jobs: 50, rounds: 1 },
  { jobs: 500, rounds: 1 },
] as const;
const runSeconds = 20;
const limit = 600_000;

interface Times {
  /** Seconds. */
  readonly toPut: number;
  readonly fromExit: number;
}

/** From the accept to ARM's PUT, and from the container's exit to the row that says so. */
export const latency: Benchmark = {
  name: "latency",
  async run(_plan, say) {
    const figures: Figure[] = [];
    const stack = await startLive({
      aci: { limits: false },
      env: { ACI_CREATES_PER_HOUR: "100000", ACI_CREATES_PER_5_MINUTES: "100000", ARM_WRITES: "5000/500" },
    });
    try {
      await timesOf(stack, "warm-up", 1);
      for (const { jobs, rounds } of sizes) {
        const first = await timesOf(stack, `first-${jobs}`, jobs);
        const later: Times[] = [];
        for (let round = 0; round < rounds; round++) later.push(...(await timesOf(stack, `first-${jobs}`, jobs)));
        const all = [...first, ...later];
        figures.push(...figuresOf(jobs, "accept to PUT", all, ({ toPut }) => toPut));
        figures.push(...figuresOf(jobs, "exit to row, a name's first job", first, ({ fromExit }) => fromExit));
        // At 25 reads a second, ARM's budget, nobody can see 500 ends within 2 s.
        const goal = jobs > 100 ? undefined : ({ of: "value", atMost: 2 } as const);
        figures.push(...figuresOf(jobs, "exit to row, a name with a history", later, ({ fromExit }) => fromExit, goal));
        say(
          figures
            .slice(-6)
            .map(({ name, value }) => `${name} ${value}`)
            .join("; "),
        );
      }
      return { figures };
    } finally {
      await stack.stop();
    }
  },
};

function figuresOf(
  jobs: number,
  what: string,
  times: readonly Times[],
  read: (each: Times) => number,
  goal?: Figure["goal"],
): Figure[] {
  const values = times.map(read);
  const at = `${jobs} job${jobs === 1 ? "" : "s at once"}: ${what}`;
  return [
    {
      name: `${at}, p50`,
      unit: "s",
      value: significant(percentile(values, 0.5)),
      ...(goal === undefined ? {} : { goal }),
    },
    { name: `${at}, p95`, unit: "s", value: significant(percentile(values, 0.95)) },
  ];
}

async function timesOf(stack: LiveStack, name: string, jobs: number): Promise<readonly Times[]> {
  stack.forget();
  const names = Array.from({ length: jobs }, (_, n) => `${name}-${n}`);
  const ids: string[] = [];
  // A pipeline starts them within moments of one another; sixteen at a time.
  for (let n = 0; n < jobs; n += 16)
    ids.push(...(await Promise.all(names.slice(n, n + 16).map((each) => submit(stack, { name: each, runSeconds })))));
  await sleep(runSeconds * 1000);
  const courses = await coursesOf(stack, ids, limit);
  return courses.map(({ createdAt, endSeenAt }, n) => {
    const put = stack.seen.puts.get(names[n] ?? "") ?? NaN;
    return {
      toPut: rounded((put - createdAt) / 1000, 3),
      fromExit: rounded((endSeenAt - put) / 1000 - runSeconds, 3),
    };
  });
}

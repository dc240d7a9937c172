import { readFileSync } from "node:fs";
import { QueueServiceClient } from "@azure/storage-queue";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { median, rounded, significant, spreadOf, type Benchmark, type Figure } from "./benchmark.ts";
import { definitionOf, hostKey, startLive, type LiveStack } from "./live-stack.ts";
import { heapIn, memoryOf, processorTime } from "./process.ts";

const jobs = 50;
const batches = 8;
const farJobs = 60;
/** Milliseconds before each call, as far away services have them. */
const delay = 20;
const limit = 600_000;
/** So few messages of a queue at once that a host waits for its services, and not for this machine's two cores. */
const fewAtOnce = {
  AzureFunctionsJobHost__extensions__queues__batchSize: "2",
  AzureFunctionsJobHost__extensions__queues__newBatchThreshold: "1",
};

const noLimits = {
  ACI_CREATES_PER_HOUR: "100000",
  ACI_CREATES_PER_5_MINUTES: "100000",
  ARM_READS: "20000/5000",
  ARM_WRITES: "5000/500",
  ARM_DELETES: "5000/500",
};

/** Jobs from the queue to their end, on a simulated ACI where they run for no time, limits off. */
export const pipeline: Benchmark = {
  name: "pipeline",
  async run({ rounds }, say) {
    const figures: Figure[] = [...(await oneHost(say))];
    const ratios: number[] = [];
    const speeds: Record<1 | 2, number[]> = { 1: [], 2: [] };
    let [conflicts, writes] = [0, 0];
    const conflictsBy = new Map<string, number>();
    for (let round = 0; round < rounds; round++)
      for (const hosts of round % 2 === 0 ? ([1, 2] as const) : ([2, 1] as const)) {
        const { perMinute, seen } = await farAway(hosts);
        speeds[hosts].push(perMinute);
        if (hosts === 2) {
          for (const [what, count] of seen.conflicts) {
            conflicts += count;
            conflictsBy.set(what, (conflictsBy.get(what) ?? 0) + count);
          }
          writes += seen.calls["table write"];
        }
        say(`${hosts} hosts, ${delay} ms before each call: ${perMinute.toFixed(0)} jobs a minute`);
      }
    for (const [round, two] of speeds[2].entries()) ratios.push(two / (speeds[1][round] ?? NaN));
    figures.push(
      {
        name: `two hosts, ${delay} ms before each call: jobs a minute`,
        unit: "",
        value: significant(median(speeds[2])),
        floor: { what: "one host", value: significant(median(speeds[1])) },
        ratio: significant(median(ratios)),
        spread: spreadOf(ratios),
        goal: { of: "ratio", atLeast: 1.7 },
      },
      {
        name: "two hosts: writes to tables that another had preceded",
        unit: "%",
        value: rounded((100 * conflicts) / writes, 1),
        goal: { of: "value", atMost: 2 },
      },
    );
    return { figures, detail: { conflicts: Object.fromEntries(conflictsBy) } };
  },
};

async function oneHost(say: (line: string) => void): Promise<Figure[]> {
  const stack = await startLive({ aci: { limits: false }, env: noLimits, flags: ["--trace-gc"] });
  try {
    const pid = stack.hosts[0]?.pid ?? 0;
    await through(stack, "warm-up", 20);
    const speeds: number[] = [];
    const memory: number[] = [];
    const heap: number[] = [];
    stack.forget();
    const before = await observed(stack);
    const processor = processorTime(pid);
    for (let batch = 0; batch < batches; batch++) {
      speeds.push(await through(stack, `batch-${batch}`, jobs));
      memory.push(memoryOf(pid).now);
      heap.push(heapIn(readFileSync(stack.hostLog, "utf8")));
      say(`${speeds.at(-1)?.toFixed(0) ?? ""} jobs a minute, ${memory.at(-1) ?? ""} MB, heap ${heap.at(-1) ?? ""} MB`);
    }
    const { calls } = stack.seen;
    const observations = (await observed(stack)) - before;
    const storage = calls["table read"] + calls["table write"] + calls.queue + calls.blob;
    const each = (count: number): number => rounded(count / (jobs * batches), 1);
    const after = (values: readonly number[], batch: number): number => values[batch - 1] ?? NaN;
    const [half, whole] = [after(heap, batches / 2), after(heap, batches)];
    return [
      { name: "one host: jobs a minute", unit: "", value: significant(median(speeds)), spread: spreadOf(speeds) },
      {
        name: "processor time of a job",
        unit: "ms",
        value: significant((1000 * (processorTime(pid) - processor)) / (jobs * batches)),
      },
      { name: "calls to storage for each job: tables, reads", unit: "", value: each(calls["table read"]) },
      { name: "tables, writes", unit: "", value: each(calls["table write"]) },
      { name: "queues, polls of empty ones left out", unit: "", value: each(calls.queue) },
      { name: "blobs", unit: "", value: each(calls.blob) },
      { name: "calls to ARM for each job, observations included", unit: "", value: each(calls.arm) },
      { name: "observations of a job", unit: "", value: each(observations) },
      {
        name: "calls to storage for each job, beside observations",
        unit: "",
        value: each(storage - callsOfObservation * observations),
        goal: { of: "value", atMost: 15 },
      },
      {
        name: "calls to ARM for each job, beside observations",
        unit: "",
        value: each(calls.arm - observations),
        goal: { of: "value", atMost: 4 },
      },
      { name: `memory after ${jobs * batches} jobs`, unit: "MB", value: after(memory, batches) },
      {
        name: `heap after a full collection, after ${jobs * batches} jobs`,
        unit: "MB",
        value: whole,
        floor: { what: `after ${(jobs * batches) / 2}`, value: half },
        ratio: significant(whole / half),
        goal: { of: "ratio", atMost: 1.15 },
      },
    ];
  } finally {
    await stack.stop();
  }
}

/** One reads the row, one writes it, one sends the message for the next, which is got and deleted. */
const callsOfObservation = 5;

const observed = async (stack: LiveStack): Promise<number> => (await stack.counters()).calls["get"] ?? 0;

async function farAway(hosts: 1 | 2): Promise<{ readonly perMinute: number; readonly seen: LiveStack["seen"] }> {
  const stack = await startLive({ hosts, aci: { limits: false }, env: { ...noLimits, ...fewAtOnce }, delay });
  try {
    await through(stack, "warm-up", 10);
    stack.forget();
    return { perMinute: await through(stack, "far", farJobs), seen: stack.seen };
  } finally {
    await stack.stop();
  }
}

/** Posts so many jobs to the queue and waits until all have ended. @returns jobs a minute, while the middle three fifths of them ended */
async function through(stack: LiveStack, name: string, count: number): Promise<number> {
  const queue = QueueServiceClient.fromConnectionString(stack.storage).getQueueClient("aci-jobs");
  await queue.createIfNotExists();
  const [host] = stack.hosts;
  const began = performance.now();
  for (let n = 0; n < count; n += 16)
    await Promise.all(
      Array.from({ length: Math.min(16, count - n) }, (_, k) =>
        queue.sendMessage(definitionOf({ name: `${name}-${n + k}` }), { messageTimeToLive: -1 }),
      ),
    );
  for (;;) {
    await sleep(1000);
    const ends = await endsOf(host?.url ?? "", name);
    if (ends.length === count) {
      const [from = NaN, to = NaN] = [ends[Math.floor(0.2 * count)], ends[Math.floor(0.8 * count)]];
      return (0.6 * count) / ((to - from) / 60_000);
    }
    if (performance.now() - began > limit) throw new Error(`${count} jobs have not ended in ${limit / 1000} s.`);
  }
}

const rowShape = z.object({ name: z.string(), finishedAt: z.string() });

/** When the jobs of this run ended that have, in order. */
async function endsOf(url: string, name: string): Promise<readonly number[]> {
  const query = "format=ndjson&all=true&state=Succeeded";
  const answer = await fetch(`${url}/api/jobs?${query}`, { headers: { "x-functions-key": hostKey } });
  const lines = (await answer.text()).split("\n").filter((line) => line !== "");
  const rows = lines.map((line) => rowShape.parse(JSON.parse(line)));
  return rows
    .filter((row) => row.name.startsWith(`${name}-`))
    .map(({ finishedAt }) => Date.parse(finishedAt))
    .sort((one, other) => one - other);
}

/**
 * Many jobs in simulated time, on the model's tables, where calls and rows read are counted. Prints figures as JSON.
 *
 * Environment: `REGIONS` (4), `JOBS` of the hour (2500 for each region), `FINISHED` rows at most (1000000), `WAITING` jobs (50000).
 */
import { hour, minute, second } from "../../src/shared/base/duration.ts";
import { createQueue } from "../../src/shared/limits/region-queues.ts";
import { tableNames } from "../../src/shared/store/connect.ts";
import { requeueWaiting } from "../../src/workers/reconcile/capacity.ts";
import { jobId, settings, start, subscription, target } from "../../test/kit/kit.ts";
import { Flood } from "../../test/model/flood.ts";
import { attemptEntitiesOf, indexEntriesOf, rowOf, yearJob } from "../../test/model/year/jobs.ts";
import { percentile, rounded, significant, type Figure } from "../benchmark.ts";
import { largestBacklog, leastWaits } from "./bound.ts";

const count = (name: string, whole: number): number => Number(process.env[name] ?? whole);
const regions = ["westeurope", "northeurope", "francecentral", "germanywestcentral"].slice(0, count("REGIONS", 4));
const published = { perFiveMinutes: 100, perHour: 300 } as const;
const floodSettings = () => settings({ TARGETS: regions.map((region) => `${subscription}/bench/${region}`).join(",") });

/** Jobs that come evenly over an hour and may run in any region, until the last is created. */
async function manyInAnHour(jobs: number): Promise<Figure[]> {
  const flood = new Flood(floodSettings());
  const arrivals: number[] = [];
  const posted = new Map<string, number>();
  let most = 0;
  for (let n = 0; n < jobs; n++) {
    await flood.until(start + Math.floor((n * hour) / jobs));
    arrivals.push(flood.now);
    posted.set(`job-${n}`, flood.now);
    await flood.post(`job-${n}`, "default");
    most = Math.max(most, n + 1 - flood.creates.length);
  }
  const last = start + (2 + jobs / (regions.length * published.perHour)) * hour;
  while (flood.creates.length < jobs && flood.now < last) await flood.until(flood.now + minute);
  const waits = flood.creates.map(({ name, at }) => at - (posted.get(name) ?? NaN));
  const least = leastWaits(arrivals, { regions: regions.length, ...published });
  const minutes = (milliseconds: number): number => rounded(milliseconds / minute, 1);
  const wait = (share: number): Omit<Figure, "name"> => {
    const [measured, bound] = [percentile(waits, share), percentile(least, share)];
    const floor = { what: "fluid bound", value: minutes(bound) };
    return {
      unit: "min",
      value: minutes(measured),
      floor,
      ...(bound > 0 ? { ratio: significant(measured / bound) } : {}),
    };
  };
  const what = `${jobs.toLocaleString("en-US")} jobs in an hour, ${regions.length} region${regions.length === 1 ? "" : "s"}`;
  const overdue = largestBacklog(
    arrivals,
    arrivals.map((at, n) => at + (least[n] ?? NaN)),
  );
  return [
    { name: `${what}: wait for the create, p95`, ...wait(0.95), goal: { of: "ratio", atMost: 1.1 } },
    { name: `${what}: wait for the create, p50`, ...wait(0.5) },
    { name: `${what}: created`, unit: "", value: flood.creates.length, goal: { of: "value", atLeast: jobs } },
    { name: `${what}: most that waited`, unit: "", value: most, floor: { what: "fluid bound", value: overdue } },
    { name: `${what}: calls to storage for each`, unit: "", value: Math.round(flood.callCount / jobs) },
    { name: `${what}: rows read for each`, unit: "", value: Math.round(flood.rowsRead / jobs) },
  ];
}

/** An hour of the sweep, all of its parts, when nothing is to be done. */
async function sweepBeside(finished: number): Promise<{ readonly calls: number; readonly rows: number }> {
  const flood = new Flood(settings({ AZURE_LOCATION: "westeurope" }));
  await flood.post("warm-up", "default"); // without a job the index is not there, and counts as lost
  // Of half a day: retention has nothing to take from them yet.
  for (let n = 0; n < finished; n++) {
    const job = yearJob(n, start - 2 * hour - Math.floor((n * 12 * hour) / finished));
    if (job.finishedAt > start || job.groupStays) continue;
    flood.table(tableNames.jobs).put(rowOf(job, "ended"));
    for (const entry of indexEntriesOf(job)) flood.table(tableNames.index).put(entry);
    for (const entity of attemptEntitiesOf(job)) flood.table(tableNames.attempts).put(entity);
  }
  // The first hour has what is done once.
  await flood.until(start + hour);
  flood.calls.clear();
  const rows = flood.rowsRead;
  await flood.until(start + 2 * hour);
  return { calls: flood.callCount, rows: flood.rowsRead - rows };
}

/** What it takes to requeue the next of a wait queue. */
async function nextOf(waiting: number): Promise<{ readonly calls: number; readonly rows: number }> {
  const flood = new Flood(settings({ AZURE_LOCATION: "westeurope", ACI_CREATES_PER_5_MINUTES: "1" }));
  await flood.until(start + 1);
  const { index } = flood.deps.jobs;
  for (let n = 1; n <= waiting; n++) {
    const createdAt = start + n;
    await index.enqueue(createQueue(target), { id: jobId(n), createdAt, turn: createdAt });
  }
  flood.calls.clear();
  const rows = flood.rowsRead;
  await requeueWaiting(flood.deps, Infinity);
  return { calls: flood.callCount, rows: flood.rowsRead - rows };
}

/** Calls to the index, which is one partition, of jobs that wait for nothing. */
async function indexCallsOfJob(): Promise<number> {
  const jobs = 50;
  const flood = new Flood(settings({ AZURE_LOCATION: "westeurope" }));
  await flood.post("warm-up", "default");
  await flood.until(flood.now + 10 * minute);
  flood.calls.clear();
  for (let n = 0; n < jobs; n++) await flood.post(`job-${n}`, "default");
  await flood.until(flood.now + 10 * minute);
  const ofIndex = [...flood.calls].filter(([label]) => label.startsWith(`table ${tableNames.index} `));
  return ofIndex.reduce((sum, [, calls]) => sum + calls, 0) / jobs;
}

/** What the index takes of a job that waits, for an hour in which it is not its turn. */
async function indexCallsOfWaiting(): Promise<number> {
  const jobs = 200;
  const flood = new Flood(settings({ AZURE_LOCATION: "westeurope", ACI_CREATES_PER_HOUR: "1" }));
  for (let n = 0; n <= jobs; n++) await flood.post(`job-${n}`, "default");
  await flood.until(start + 10 * minute);
  flood.calls.clear();
  await flood.until(start + 40 * minute);
  const ofIndex = [...flood.calls].filter(([label]) => label.startsWith(`table ${tableNames.index} `));
  return (2 * ofIndex.reduce((sum, [, calls]) => sum + calls, 0)) / jobs;
}

/** Calls a second, "Scalability and performance targets for Table storage". */
const partitionLimit = 2000;

const figures: Figure[] = await manyInAnHour(count("JOBS", 2500 * regions.length));
const sizes = [1000, 100_000, 1_000_000].filter((size) => size <= count("FINISHED", 1_000_000));
const sweeps = new Map<number, { readonly calls: number; readonly rows: number }>();
for (const size of sizes) sweeps.set(size, await sweepBeside(size));
const [few = { calls: NaN, rows: NaN }] = sweeps.values();
for (const [size, { calls, rows }] of sweeps) {
  const beside = `an hour of the sweep beside ${size.toLocaleString("en-US")} finished jobs`;
  const floor = (value: number) => (size === sizes[0] ? {} : { floor: { what: "beside 1,000", value } });
  const ratio = (value: number) => (size === sizes[0] ? {} : { ratio: significant(value) });
  const goal = size === sizes[0] ? {} : { goal: { of: "ratio" as const, atMost: 1 } };
  figures.push(
    { name: `${beside}: calls`, unit: "", value: calls, ...floor(few.calls), ...ratio(calls / few.calls), ...goal },
    { name: `${beside}: rows read`, unit: "", value: rows, ...floor(few.rows), ...ratio(rows / few.rows), ...goal },
  );
}
const waiting = count("WAITING", 50_000);
const [ten, all] = [await nextOf(10), await nextOf(waiting)];
const next = `requeue the next of ${waiting.toLocaleString("en-US")} that wait`;
figures.push(
  {
    name: `${next}: calls`,
    unit: "",
    value: all.calls,
    floor: { what: "of ten", value: ten.calls },
    ratio: significant(all.calls / ten.calls),
    goal: { of: "value", atMost: 10 },
  },
  {
    name: `${next}: rows read`,
    unit: "",
    value: all.rows,
    floor: { what: "of ten", value: ten.rows },
    ratio: significant(all.rows / ten.rows),
  },
);
const [ofJob, ofWaiting] = [await indexCallsOfJob(), await indexCallsOfWaiting()];
figures.push(
  { name: "calls to the job index, a job that waits for nothing", unit: "", value: rounded(ofJob, 1) },
  { name: "calls to the job index, an hour of a job's wait", unit: "", value: rounded(ofWaiting, 1) },
  {
    name: "jobs a second at which the index's one partition is full",
    unit: "",
    value: Math.floor(partitionLimit / ofJob),
  },
  {
    name: `share of that partition that ${waiting.toLocaleString("en-US")} waiting jobs take`,
    unit: "",
    value: significant((waiting * ofWaiting) / (hour / second) / partitionLimit),
    goal: { of: "value", atMost: 0.5 },
  },
);
process.stdout.write(JSON.stringify(figures));

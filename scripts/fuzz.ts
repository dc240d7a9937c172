/**
 * `npm run fuzz [-- --bodies N --messages N --seed N]`: throws hostile bodies and queue messages at the app's two ways in and prints
 * what they cost. Ends with 1 when one was answered with a 5xx, took too long, or memory grew.
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { hostileBody, hostileMessage, hostileQuery } from "../test/hostile/arbitrary.ts";
import { bombs } from "../test/hostile/bombs.ts";
import {
  leastCost,
  longest,
  openEntryPoints,
  polluted,
  type Cost,
  type EntryPoints,
} from "../test/hostile/entry-points.ts";

const { values } = parseArgs({
  options: {
    bodies: { type: "string", default: "100000" },
    messages: { type: "string", default: "20000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const seed = Number(values.seed);
/** What the heap may grow from a tenth of the way to its end: caches fill, nothing else stays. */
const maxGrowth = 32 * 1024 * 1024;

interface Figures {
  readonly what: string;
  readonly count: number;
  /** Milliseconds of the middle one, of one in a thousand, of the worst. */
  readonly median: number;
  readonly p999: number;
  readonly worst: number;
  readonly growthMB: number;
  readonly statuses: Readonly<Record<string, number>>;
}

const door = await openEntryPoints();
console.log(`seed ${seed}`);
// A worker that has just begun compiles what it runs: that is not the input's doing.
for (const { text } of bombs) await door.post(text);
const figures = [
  await run("bombs as bodies", bombs.length, (index) => door.post(bombs[index]?.text ?? "")),
  await run("bombs as messages", bombs.length, (index) => door.deliver(message(bombs[index]?.text ?? ""))),
  await run("bodies", Number(values.bodies), throwing(fc.tuple(hostileBody, hostileQuery), postOne)),
  await run(
    "messages",
    Number(values.messages),
    throwing(hostileMessage, (text) => door.deliver(message(text))),
  ),
];
await door.stop();
console.table(figures.map(({ statuses, ...rest }) => ({ ...rest, statuses: JSON.stringify(statuses) })));
const bad = figures.filter(({ worst, growthMB }) => worst >= longest || growthMB * 1024 * 1024 > maxGrowth);
for (const { what } of bad) console.error(`${what}: over the limit`);
if (polluted()) console.error("a prototype was polluted");
process.exitCode = bad.length > 0 || polluted() ? 1 : 0;

/** One body in fifty is meant: what is good of those becomes a job. */
function postOne([body, query]: readonly [string, string], index: number): Promise<Cost> {
  return door.post(body, index % 50 === 0 ? query : `${query}&dryRun=true`);
}

/** A message on a queue is at most 64 KiB. */
function message(text: string): string {
  return text.slice(0, 64 * 1024);
}

/** Values are drawn in batches, so that none of them stays. */
function throwing<T>(
  arbitrary: fc.Arbitrary<T>,
  use: (value: T, index: number) => ReturnType<EntryPoints["post"]>,
): (index: number) => Promise<Cost> {
  let batch: T[] = [];
  return (index) => {
    const at = index % 500;
    if (at === 0) batch = fc.sample(arbitrary, { seed: seed + index, numRuns: 500 });
    const value = batch[at];
    if (value === undefined) throw new Error("the batch is short");
    return use(value, index);
  };
}

async function run(what: string, count: number, one: (index: number) => Promise<Cost>): Promise<Figures> {
  const costs = new Float64Array(count);
  const statuses: Record<string, number> = {};
  let before = heap();
  for (let index = 0; index < count; index++) {
    if (index === Math.floor(count / 10)) before = heap();
    const { milliseconds, status } = await leastCost(() => one(index));
    costs[index] = milliseconds;
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (milliseconds >= longest) console.error(`${what} ${index}: ${Math.round(milliseconds)} ms`);
  }
  const growthMB = round((heap() - before) / 1024 / 1024);
  costs.sort();
  const at = (part: number): number => round(costs[Math.min(count - 1, Math.floor(count * part))] ?? 0);
  return { what, count, median: at(0.5), p999: at(0.999), worst: at(1), growthMB, statuses };
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}

import { z } from "zod";
import { day, hour } from "../../shared/base/duration.ts";
import { groupName, parseJobId, type GroupName } from "../../shared/base/ids.ts";
import { inParallel } from "../../shared/base/in-parallel.ts";
import { errorFields } from "../../shared/base/log.ts";
import { cancelKept } from "../../shared/intake/cancel.ts";
import type { Deps } from "../../shared/deps.ts";
import { dayPartition, type JobKey } from "../../shared/store/job-row.ts";
import type { Kept, OldRow } from "../../shared/store/old-rows.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";
import { sweepOldBlobs } from "./old-blobs.ts";

/**
 * What is kept only for a time: sealed definitions, captured logs, rows and all that leads to them. The oldest partition comes first,
 * and a pass works until its time is spent; the next goes on. For each kind it remembers the partitions that may still have something to
 * lose, and drops one only after it saw that nothing is left there: a job that ends late, a row that can't go yet, is never lost from sight.
 */
export interface RetentionDeps {
  readonly settings: Pick<Deps["settings"], "definitionRetention" | "logRetention" | "rowRetention">;
  readonly now: Deps["now"];
  readonly log: Deps["log"];
  readonly jobs: Deps["jobs"];
  readonly oldRows: Deps["oldRows"];
  readonly oldBlobs: Deps["oldBlobs"];
  readonly attempts: Deps["attempts"];
  readonly blobs: Deps["blobs"];
  readonly held: Deps["held"];
  readonly control: Deps["control"];
}

const kinds = ["definitions", "logs", "rows"] as const satisfies readonly Kept[];

/** What a pass hands on to the next. */
const memorySchema = z.object({
  /** Partitions that may have something left, by kind, the oldest first. */
  open: z.record(z.enum(kinds), z.array(z.string())),
  /** The newest partition that is in all of them or in no list at all. */
  newest: z.string(),
  /** When all partitions were last listed. */
  listedAt: z.number(),
  /** When blobs and entries that no row leads to were last looked for, and where to go on. */
  blobsAt: z.number().default(0),
  blobsFrom: z.string().optional(),
});
type Memory = z.infer<typeof memorySchema>;

/** All partitions are listed anew each day: one that was done with may have got a row since, of a message that waited on its queue. */
const listAgain = day;
/** Blobs without a job are rare: a day is soon enough. */
const blobsEvery = day;
/** How many jobs' blobs and entries are dropped at once. */
const width = 16;
/** Rows of a day that has only just ended may still be on their way. */
const lateRows = hour;

export async function sweepRetention(deps: RetentionDeps, until: number, cursor: string | undefined): Promise<RunEnd> {
  const now = deps.now();
  const memory = await refreshed(deps, readMemory(cursor), now);
  const finished = await work(deps, memory, now, until);
  const written = JSON.stringify(memory);
  return { kind: finished ? "completed" : "unfinished", cursor: written.length <= maxCursor ? written : undefined };
}

/** A text property holds 32,768 characters; with more open partitions than fit, all are listed anew in the next pass. */
const maxCursor = 32_000;

/** @returns false when the time was up first */
async function work(deps: RetentionDeps, memory: Memory, now: number, until: number): Promise<boolean> {
  const { definitionRetention, logRetention, rowRetention } = deps.settings;
  const keptFor = { definitions: definitionRetention, logs: logRetention, rows: rowRetention };
  for (const kind of kinds) {
    const endedBefore = now - keptFor[kind];
    // A job ends no sooner than it begins: younger partitions have nothing that is past its time.
    const youngest = dayPartition(endedBefore);
    const lasting = { youngest, names: new Set<GroupName>() };
    for (const partition of memory.open[kind].filter((each) => each >= youngest)) {
      if (!(await clearPartition(deps, kind, { partition, endedBefore, until }, lasting))) return false;
      const over = partition > dayPartition(now - lateRows);
      if (over && !(await deps.oldRows.hasAny(partition, kind)))
        memory.open[kind] = memory.open[kind].filter((each) => each !== partition);
    }
  }
  if (now < memory.blobsAt + blobsEvery) return true;
  const blobs = await sweepOldBlobs(deps, until, memory.blobsFrom);
  memory.blobsFrom = blobs?.next;
  if (blobs !== undefined) return false;
  await deps.held.dropStale(now);
  const old = { before: now - cancelKept, until, now: deps.now };
  if (!(await deps.jobs.index.dropCancels(old)) || !(await deps.control.forgetOrphans(old))) return false;
  await deps.control.keepIdentity();
  memory.blobsAt = now;
  return true;
}

async function clearPartition(
  deps: RetentionDeps,
  kind: Kept,
  {
    partition,
    endedBefore,
    until,
  }: { readonly partition: string; readonly endedBefore: number; readonly until: number },
  lasting: LastingNames,
): Promise<boolean> {
  let isComplete = true;
  for await (const rows of deps.oldRows.past(kind, partition, endedBefore)) {
    if (deps.now() >= until) return false;
    const failed = ({ id }: OldRow, error: unknown): void =>
      deps.log("warn", "retention skipped a job", { job: id, kind, ...errorFields(error) });
    // Begun is finished: what is dropped beside a row and the row itself belong together.
    const each: Each = async (some, drop) => {
      const done: OldRow[] = [];
      const one = async (row: OldRow): Promise<void> => {
        if (await drop(row)) done.push(row);
      };
      await inParallel(some, one, { width, until: Infinity, now: deps.now, failed });
      return done;
    };
    const childless: OldRow[] = [];
    for (const row of rows) childless.push(...(await each([row], () => dropChildren(deps, kind, row, each, until))));
    const done = await each(childless, (row) => dropBeside(deps, kind, row));
    if (kind === "rows") await deps.oldRows.remove(await dropLeads(deps, done, each, lasting));
    else await deps.oldRows.clear(done, kind);
    if (childless.length < rows.length && deps.now() >= until) isComplete = false;
  }
  return isComplete;
}

/**
 * The same of an array's children: they go before what they belong to.
 *
 * @returns false while one of them is left; a later pass goes on
 */
async function dropChildren(
  deps: RetentionDeps,
  kind: Kept,
  { children: partition }: OldRow,
  each: Each,
  until: number,
): Promise<boolean> {
  // What they run is sealed with the array.
  if (partition === undefined || kind === "definitions") return true;
  let isComplete = true;
  for await (const rows of deps.oldRows.children(kind, partition)) {
    if (deps.now() >= until) return false;
    const done = await each(rows, (row) => dropBeside(deps, kind, row));
    if (kind === "rows") await deps.oldRows.remove(done);
    else await deps.oldRows.clear(done, kind);
    if (done.length < rows.length) isComplete = false;
  }
  if (kind === "logs" || !isComplete) return isComplete;
  return (await deps.oldRows.removeCounts(partition)) === "removed";
}

/** Drops something of each row, several at once, and returns the rows for which that went well. */
type Each = (rows: readonly OldRow[], drop: (row: OldRow) => Promise<boolean>) => Promise<readonly OldRow[]>;

/** Names with a job whose row stays for longer than this pass. */
interface LastingNames {
  /** Partitions before it are younger. */
  readonly youngest: string;
  readonly names: Set<GroupName>;
}

/** What leads to rows that are about to go. With the last job of a name goes what is known of the name. */
async function dropLeads(
  { jobs: { index } }: RetentionDeps,
  rows: readonly OldRow[],
  each: Each,
  { youngest, names }: LastingNames,
): Promise<readonly OldRow[]> {
  const nameOf = (row: OldRow): GroupName => groupName(row.name);
  const named = rows.map((row) => ({ name: nameOf(row), key: row.key }));
  // What fails for all at once is tried for each: one that can't be dropped holds up no other.
  const areGone = await index.dropNames(named).catch(() => false);
  const nameless = areGone ? rows : await each(rows, (row) => index.dropName(nameOf(row), row.key).then(() => true));
  const asked = new Map<GroupName, Promise<JobKey | undefined>>();
  return each(nameless, async (row) => {
    await index.dropLeads({ id: row.id, ...leadsIn(row.record) }, row.key);
    const name = nameOf(row);
    if (names.has(name)) return true;
    const newest = asked.get(name) ?? index.forgetName(name);
    asked.set(name, newest);
    const key = await newest;
    if (key !== undefined && key.partitionKey < youngest) names.add(name);
    return true;
  });
}

/** All that belongs to a row and lies elsewhere goes first, so that a crash leaves nothing without its row. */
async function dropBeside(deps: RetentionDeps, kind: Kept, row: OldRow): Promise<boolean> {
  const { blobs, attempts } = deps;
  const { id, hasDefinition, hasLogs } = row;
  switch (kind) {
    case "definitions":
      // The addresses to notify of the end are in the sealed bytes.
      if (row.awaitsNotification && deps.settings.definitionRetention < day) return false;
      await blobs.dropSealed(id);
      return true;
    case "logs":
      await blobs.logs.drop(id);
      return true;
    case "rows":
      if (hasLogs) await blobs.logs.drop(id);
      if (hasDefinition) await blobs.dropSealed(id);
      await attempts.drop(id, row.attempts);
      return true;
  }
}

const lead = z.object({
  keyHash: z.string().optional().catch(undefined),
  joined: z.array(z.object({ id: z.string().transform(parseJobId).optional() })).catch([]),
});

/** What else leads to a job: a key, other posters' ids. */
function leadsIn(record: unknown): z.infer<typeof lead> {
  return lead.safeParse(record).data ?? { joined: [] };
}

function readMemory(cursor: string | undefined): Memory | undefined {
  try {
    return cursor === undefined ? undefined : memorySchema.safeParse(JSON.parse(cursor)).data;
  } catch {
    return undefined;
  }
}

/** What is remembered, and the days that came since. */
async function refreshed({ oldRows }: RetentionDeps, memory: Memory | undefined, now: number): Promise<Memory> {
  const known = memory !== undefined && now < memory.listedAt + listAgain ? memory : undefined;
  const found: string[] = [];
  for await (const partition of oldRows.partitions()) {
    if (known !== undefined && known.newest !== "" && partition >= known.newest) break;
    found.push(partition);
  }
  const opened = (kind: Kept): string[] => [...new Set([...(known?.open[kind] ?? []), ...found])].sort().reverse();
  return {
    open: { definitions: opened("definitions"), logs: opened("logs"), rows: opened("rows") },
    newest: found[0] ?? known?.newest ?? "",
    listedAt: known?.listedAt ?? now,
    blobsAt: memory?.blobsAt ?? 0,
    blobsFrom: memory?.blobsFrom,
  };
}

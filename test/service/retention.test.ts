import { randomBytes, randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { day, hour, minute } from "../../src/shared/base/duration.ts";
import { mintJobId, type JobId } from "../../src/shared/base/ids.ts";
import type { Deps } from "../../src/shared/deps.ts";
import type { Job } from "../../src/shared/job/job.ts";
import { jobKey, toRow } from "../../src/shared/store/job-row.ts";
import type { RunEnd } from "../../src/shared/store/periodic-runs.ts";
import { sweepRetention } from "../../src/workers/sweep/retention.ts";
import { ended, target, start } from "../kit/kit.ts";
import { deliver, follow, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const jobId = (n: number): JobId => mintJobId(start, Uint8Array.from([0, 0, n >> 8, n & 255, 0, 0, 0, 0, 0, 0]));
const nothing = { definition: undefined, callbacks: undefined };
const rowOf = ({ deps }: Bench, id: JobId, gone = true, more: Partial<Job> = {}, at = start) =>
  toRow(
    ended({ group: gone ? "gone" : "present", tidy: gone, finishedAt: at }, { id, createdAt: at, ...more }),
    jobKey(id, at),
    nothing,
    deps.jobs.prices,
  );
const rows = async ({ storage }: Bench): Promise<string[]> => {
  const ids: string[] = [];
  for await (const { id } of storage.table("jobs").listEntities()) ids.push(String(id));
  return ids;
};
/** A pass with all the time that it needs. */
const pass = (deps: Deps, cursor?: string): Promise<RunEnd> => sweepRetention(deps, deps.now() + minute, cursor);

it("a row goes after its time, but not while its group may exist", async () => {
  const bench = await openBench();
  const { deps, storage, clock } = bench;
  const [gone, there] = [jobId(1), jobId(2)];
  await storage.table("jobs").createEntity(rowOf(bench, gone));
  await storage.table("jobs").createEntity(rowOf(bench, there, false));
  clock.advance(deps.settings.rowRetention + day);
  const first = await pass(deps);
  expect(await deps.jobs.find(gone)).toBeUndefined();
  expect((await deps.jobs.find(there))?.job.id).toBe(there);
  // It is not lost from sight: once its group is gone, it goes.
  await storage.table("jobs").upsertEntity(rowOf(bench, there), "Replace");
  clock.advance(hour);
  await pass(deps, first.kind === "failed" ? undefined : first.cursor);
  expect(await rows(bench)).toEqual([]);
});

it("a backlog of any size goes: a pass works until its time is up, and the next goes on", async () => {
  const bench = await openBench();
  const { deps, storage, clock } = bench;
  for (let from = 0; from < 450; from += 90)
    await storage
      .table("jobs")
      .submitTransaction(Array.from({ length: 90 }, (_, n) => ["create", rowOf(bench, jobId(from + n + 1))]));
  clock.advance(deps.settings.rowRetention + day);
  // Its time is up after three readings of the clock within.
  let readings = 0;
  const hurried = { ...deps, now: () => clock.now() + (++readings > 5 ? hour : 0) };
  const end = await sweepRetention(hurried, clock.now() + minute, undefined);
  expect(end.kind).toBe("unfinished");
  const left = (await rows(bench)).length;
  expect([left > 0, left < 450]).toEqual([true, true]);
  expect((await pass(deps, end.kind === "failed" ? undefined : end.cursor)).kind).toBe("completed");
  expect(await rows(bench)).toEqual([]);
});

it("a row that can't be read goes after its time too, and stops no other", async () => {
  const bench = await openBench();
  const { deps, storage, clock } = bench;
  await storage.table("jobs").createEntity({ ...rowOf(bench, jobId(1)), record: "{" });
  await storage.table("jobs").createEntity(rowOf(bench, jobId(2)));
  clock.advance(deps.settings.rowRetention + day);
  await pass(deps);
  expect(await rows(bench)).toEqual([]);
});

it("a row that comes late to a day that was done with is found within a day", async () => {
  const bench = await openBench();
  const { deps, storage, clock } = bench;
  await storage.table("jobs").createEntity(rowOf(bench, jobId(1)));
  clock.advance(deps.settings.rowRetention + day);
  const first = await pass(deps);
  await storage.table("jobs").createEntity(rowOf(bench, jobId(2)));
  clock.advance(day);
  await pass(deps, first.kind === "failed" ? undefined : first.cursor);
  expect(await rows(bench)).toEqual([]);
});

it("sealed definitions and logs go after their times, and the row stays", async () => {
  const bench = await openBench();
  const { deps, clock } = bench;
  const { id } = await post(deps, yaml("kept"));
  await follow(bench, id);
  clock.advance(deps.settings.definitionRetention + day);
  await pass(deps);
  expect((await deps.jobs.find(id))?.sealed).toEqual(nothing);
  expect(await deps.blobs.logs.tail(id, 1, "app", 1000)).toContain("Hello World!");
  clock.advance(deps.settings.logRetention);
  await pass(deps);
  expect(await deps.blobs.logs.pieces(id, 1, "app")).toEqual([]);
  expect((await deps.jobs.find(id))?.job.phase.state).toBe("Succeeded");
});

it("blobs that no row leads to go: sealed ones without a job, posters' that were read; no other does", async () => {
  const bench = await openBench();
  const { deps, storage, clock } = bench;
  const definitions = storage.blobs.getContainerClient("aci-definitions");
  for (const name of ["read.yaml", "unread.yaml"])
    await definitions.getBlockBlobClient(name).upload(yaml("blobbed"), yaml("blobbed").length);
  await deliver(deps, { version: 1, definitionBlob: "aci-definitions/read.yaml" });
  await deps.blobs.putSealed(jobId(1), Buffer.from("sealed"), "new");
  await deps.blobs.putParcel("messages/waits", Buffer.from("sealed"));
  await deps.blobs.putParcel("messages/done", Buffer.from("sealed"));
  await deps.blobs.finishParcel("messages/done");
  const big = await post(deps, yaml("big", { output: randomBytes(50_000).toString("base64") }));
  // The storage's own clock is another one than the test's.
  clock.advance(Math.max(0, Date.now() - clock.now()) + deps.settings.definitionRetention + 2 * day);
  await pass(deps);
  const names = async (container: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { name } of storage.blobs.getContainerClient(container).listBlobsFlat()) found.push(name);
    return found;
  };
  expect(await names("aci-definitions")).toEqual(["unread.yaml"]);
  expect((await names("aci-sealed")).toSorted()).toEqual([big.id, "messages/waits"].toSorted());
});

it("no sealed definition goes while the index is lost, which alone leads to the job of a poster's id", async () => {
  const { deps, storage, clock } = await openBench();
  const id = randomUUID();
  await deliver(deps, { version: 1, id, definition: yaml("big", { output: randomBytes(50_000).toString("base64") }) });
  await storage.table("jobindex").deleteTable();
  clock.advance(Math.max(0, Date.now() - clock.now()) + 2 * day);
  await pass(deps);
  const sealed = storage.blobs.getContainerClient("aci-sealed");
  expect(await sealed.getBlobClient(id).exists()).toBe(true);
});

it("a target once used is swept even when it has left the settings", async () => {
  const { deps } = await openBench();
  const { subscriptionId } = target;
  await deps.control.targets([{ subscriptionId, resourceGroup: "rg-before", location: undefined }]);
  const now = await deps.control.targets([{ subscriptionId, resourceGroup: "rg-now", location: undefined }]);
  expect(now.map(({ resourceGroup }) => resourceGroup)).toEqual(["rg-before", "rg-now"]);
});

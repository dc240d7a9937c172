import { describe, expect, it } from "vitest";
import { minute } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { healthDetails } from "../../src/http/health.ts";
import { jobs } from "../../src/http/jobs/list.ts";
import { job } from "../../src/http/jobs/record.ts";
import { keyOfMinted } from "../../src/shared/store/job-row.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { takeUndescribed } from "../kit/describes.ts";
import { childrenOf, followAll, postArray } from "./arrays-kit.ts";
import { ask, del, follow, get, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

/** A row that was edited by hand harms itself alone: all that works on many jobs goes on. */
useAzurite();

async function spoil({ storage }: Bench, id: JobId, columns: Readonly<Record<string, unknown>>): Promise<void> {
  const key = keyOfMinted(id);
  if (key === undefined) throw new Error("The id is ours.");
  await storage.table("jobs").updateEntity({ ...key, ...columns }, "Merge");
}

describe("a row that can't be read", () => {
  it("answers a poll with 202 Unknown, by id and by name, and shows its columns", async () => {
    const bench = await openBench();
    const { deps } = bench;
    const { id } = await post(deps, yaml("spoilt"), "polling=true");
    await spoil(bench, id, { record: "{", tags: "{" });
    for (const reply of [await get(deps, id, "poll=1"), await get(deps, id), await get(deps, "spoilt")]) {
      expect(reply.status).toBe(202);
      expect(reply.body).toMatchObject({ id, state: "Unknown" });
      expect(reply.headers.get("location")).toContain(id);
    }
    const record = await ask(job(deps), { params: { id } });
    expect(record.status).toBe(200);
    expect(record.body).toMatchObject({ id, state: "Queued", name: "spoilt" });
    expect(record.body).toHaveProperty("unreadable");
    const listed = await ask(jobs(deps), {});
    expect(listed.status).toBe(200);
    expect(listed.body).toMatchObject({ jobs: [{ id }] });
    expect((await del(deps, id)).status).toBe(503);
  });

  it("is counted by health until it can be read again, and is left alone meanwhile", async () => {
    const bench = await openBench();
    const { deps, clock } = bench;
    const { id } = await post(deps, yaml("spoilt"), "polling=true");
    const before = { record: JSON.stringify(await jobOf(deps, id)) };
    await spoil(bench, id, { record: "{" });
    await reconcile(deps, id, { at: undefined });
    const counted = async () => (await ask(healthDetails(deps), {})).body;
    expect(await counted()).toMatchObject({ unreadableRows: 1, unreadable: [{ id }] });
    await spoil(bench, id, before);
    clock.advance(11 * minute);
    await runPass(deps, "timer");
    expect(await counted()).toMatchObject({ unreadableRows: 0 });
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("keeps its name: who waits for it waits, and who won't is refused", async () => {
    const bench = await openBench();
    const { deps } = bench;
    const { id } = await post(deps, yaml("spoilt"), "polling=true");
    await spoil(bench, id, { record: "{" });
    expect(await post(deps, yaml("spoilt"))).toMatchObject({ status: 409, body: { id } });
    const waiting = await post(deps, yaml("spoilt"), "onConflict=wait&polling=true");
    await reconcile(deps, waiting.id, { at: undefined });
    expect((await jobOf(deps, waiting.id)).phase).toMatchObject({ state: "Queued", waiting: { reason: "NameBusy" } });
  });

  it("of an array's child holds up the array's end until it can be read, and nothing else of it", async () => {
    const bench = await openBench();
    const { deps, clock } = bench;
    const id = await postArray(bench, { size: 3, text: yaml("nightly", { seconds: 3600 }) });
    await followAll(bench, async () => (await jobOf(deps, id)).phase.state === "Running");
    const [spoilt, ...others] = await childrenOf(bench, id);
    if (spoilt === undefined) throw new Error("The array made no child.");
    await spoil(bench, spoilt.id, { record: "{" });
    await del(deps, id);
    await reconcile(deps, id, { at: undefined });
    for (const each of others) await follow(bench, each.id);
    await reconcile(deps, id, { at: undefined });
    const waiting = await jobOf(deps, id);
    expect([waiting.phase.state, waiting.lookAt - clock.now()]).toEqual(["Running", minute]);
    await spoil(bench, spoilt.id, { record: JSON.stringify(spoilt) });
    await followAll(bench);
    const { phase, array } = await jobOf(deps, id);
    expect([phase.state, array?.counts.Canceled]).toEqual(["Canceled", 3]);
  });

  it("of an array lets its children wait, and no message of theirs fails", async () => {
    const bench = await openBench();
    const { deps, clock } = bench;
    const id = await postArray(bench, { size: 1 });
    await reconcile(deps, id, { at: undefined });
    const [child] = await childrenOf(bench, id);
    if (child === undefined) throw new Error("The array made no child.");
    const before = { record: JSON.stringify(await jobOf(deps, id)) };
    await spoil(bench, id, { record: "{" });
    await reconcile(deps, child.id, { at: undefined });
    expect((await jobOf(deps, child.id)).phase.state).toBe("Queued");
    await spoil(bench, id, before);
    clock.advance(11 * minute);
    await followAll(bench);
    expect((await jobOf(deps, id)).phase.state).toBe("Succeeded");
  });

  it("of a state that only the next release knows is shown by its word, and saved whole", async () => {
    const bench = await openBench();
    const { deps } = bench;
    const { id } = await post(deps, yaml("asleep"), "polling=true");
    const of = await jobOf(deps, id);
    const phase = { state: "Hibernating", image: "snapshot-1" };
    await spoil(bench, id, {
      record: JSON.stringify({ ...of, phase }),
      state: "Hibernating",
      message: "It sleeps.",
      naps: 3,
    });
    await reconcile(deps, id, { at: undefined });
    expect(await get(deps, id, "poll=1")).toMatchObject({ status: 202, body: { id, state: "Hibernating" } });
    expect((await del(deps, id)).status).toBe(200);
    const key = keyOfMinted(id);
    const row = await bench.storage.table("jobs").getEntity(key?.partitionKey ?? "", key?.rowKey ?? "");
    expect(row).toMatchObject({ state: "Hibernating", message: "It sleeps.", naps: 3 });
    expect(JSON.parse(String(row["record"]))).toMatchObject({ phase, cancel: { reason: "CanceledByCaller" } });
    const newer: unknown = expect.stringContaining("Hibernating");
    expect(takeUndescribed()).toEqual([newer, newer]);
  });
});

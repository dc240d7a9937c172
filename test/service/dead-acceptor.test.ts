import { InvocationContext } from "@azure/functions";
import { randomBytes } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import { Unavailable } from "../../src/shared/base/errors.ts";
import { parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { reservationTime } from "../../src/shared/intake/reservation.ts";
import { jobs } from "../../src/http/jobs/list.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { sweep } from "../../src/workers/sweep.ts";
import type { Gate, ProxiedCall } from "../kit/proxy.ts";
import { ask, del, deliver, follow, get, indexOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

/** An acceptor that dies between its reservation and the row: the service never sees the row's write. */
async function withDeadAcceptor(): Promise<{ bench: Bench; refuseRows: () => void; takeRows: () => void }> {
  const dead: Gate = {};
  const isRow = ({ method, url }: ProxiedCall): boolean => method === "POST" && url.pathname.endsWith("/jobs");
  const refuseRows = (): void => {
    dead.before = (call) => (isRow(call) ? "cut" : "pass");
  };
  const takeRows = (): void => {
    delete dead.before;
  };
  return { bench: await openBench({}, dead), refuseRows, takeRows };
}

async function sealedBlobs({ storage }: Bench): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of storage.blobs.getContainerClient("aci-sealed").listBlobsFlat()) names.push(name);
  return names;
}

/** The timer, and what it enqueued. */
async function tick({ deps, clock }: Bench): Promise<void> {
  const schedule = { adjustForDST: false };
  const scheduleStatus = { last: "", lastUpdated: "", next: "" };
  const due: JobId[] = [];
  for await (const { id, checkAt } of deps.jobs.index.watched()) if (checkAt <= clock.now()) due.push(id);
  await sweep(deps)({ isPastDue: false, schedule, scheduleStatus }, new InvocationContext());
  for (const id of due) await reconcile(deps, id, { at: undefined });
}

const large = (name: string): string => yaml(name, { output: randomBytes(60_000).toString("hex") });
const postersId = (last: number): JobId => {
  const id = parseJobId(`6f9619ff-8b86-4011-b42d-00c04fc965${String(last).padStart(2, "0")}`);
  if (id === undefined) throw new Error("no id");
  return id;
};

describe("an acceptor that dies before its row is written", () => {
  it("burns no poster's id: the same message goes on with what was reserved, at once", async () => {
    const { bench, refuseRows, takeRows } = await withDeadAcceptor();
    const id = postersId(1);
    const message = { version: 1, id, definition: yaml("posted") };
    refuseRows();
    await expect(deliver(bench.deps, message)).rejects.toThrow();
    takeRows();
    bench.clock.advance(minute);
    await deliver(bench.deps, message, { dequeueCount: 2 });
    expect((await get(bench.deps, id)).body["name"]).toBe("posted");
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("burns no poster's id: whoever uses it later by another way is found by it", async () => {
    const { bench, refuseRows, takeRows } = await withDeadAcceptor();
    const id = postersId(2);
    refuseRows();
    await expect(deliver(bench.deps, { version: 1, id, definition: yaml("posted") })).rejects.toThrow();
    takeRows();
    bench.clock.advance(minute);
    const accepted = await post(bench.deps, JSON.stringify({ version: 1, id, definition: yaml("posted") }));
    expect([accepted.status, accepted.id]).toEqual([200, id]);
    expect((await get(bench.deps, id)).status).toBe(202);
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("keeps the same call with its key waiting for less than Data Factory's minute", async () => {
    const { bench, refuseRows, takeRows } = await withDeadAcceptor();
    const key = { "idempotency-key": "the same" };
    refuseRows();
    expect((await post(bench.deps, yaml("keyed"), "", key)).status).toBe(503);
    takeRows();
    const sleep = (): Promise<void> => {
      bench.clock.advance(5 * second);
      return Promise.resolve();
    };
    const slow = { ...bench.deps, sleep };
    const [began, { status }] = [bench.clock.now(), await post(slow, yaml("keyed"), "", key)];
    expect(status).toBe(503);
    expect(bench.clock.now() - began).toBeLessThan(minute);
    bench.clock.advance(reservationTime);
    expect((await post(bench.deps, yaml("keyed"), "", key)).status).toBe(200);
  });

  it("holds a slot of its group as long: the same call with its key is to be repeated, and is not refused for that slot", async () => {
    const { bench, refuseRows, takeRows } = await withDeadAcceptor();
    const sleep = (): Promise<void> => {
      bench.clock.advance(5 * second);
      return Promise.resolve();
    };
    const deps = { ...bench.deps, sleep };
    const slot = "group=g&groupLimit=1&onGroupFull=reject";
    const keyed = (key: string) => ({ "idempotency-key": key });
    const again = async (key: string) => (await post(deps, yaml(key), slot, keyed(key))).status;
    refuseRows();
    expect(await again("keyed")).toBe(503);
    takeRows();
    expect(await again("other")).toBe(409);
    expect(await again("keyed")).toBe(503);
    bench.clock.advance(reservationTime - minute);
    expect(await again("keyed")).toBe(503);
    // The sweep gives it back while the call waits.
    const sweeping = async (): Promise<void> => {
      await sleep();
      await tick(bench);
    };
    const { status } = await post({ ...deps, sleep: sweeping }, yaml("keyed"), slot, keyed("keyed"));
    expect(status).toBe(200);
  });

  it("leaves nothing behind once its reservation expired: another definition may use its id, key and name", async () => {
    const { bench, refuseRows, takeRows } = await withDeadAcceptor();
    const envelope = (name: string): string =>
      JSON.stringify({ version: 1, id: postersId(3), idempotencyKey: "run 42", definition: large(name) });
    refuseRows();
    expect((await post(bench.deps, envelope("one"))).status).toBe(503);
    takeRows();
    expect(await sealedBlobs(bench)).toEqual([postersId(3)]);
    bench.clock.advance(reservationTime);
    await tick(bench);
    expect(await indexOf(bench)).toEqual(["index"]);
    expect(await sealedBlobs(bench)).toEqual([]);
    const other = await post(bench.deps, envelope("two"));
    expect([other.status, other.id]).toEqual([200, postersId(3)]);
    expect((await follow(bench, other.id)).phase.state).toBe("Succeeded");
  });

  it("hides no older job behind its name, neither while its reservation stands nor after", async () => {
    const { bench, refuseRows, takeRows } = await withDeadAcceptor();
    const older = await post(bench.deps, yaml("nightly"));
    await follow(bench, older.id);
    refuseRows();
    for (let n = 0; n < 5; n++) expect((await post(bench.deps, yaml("nightly"), "onConflict=wait")).status).toBe(503);
    takeRows();
    expect((await get(bench.deps, "nightly")).id).toBe(older.id);
    expect((await del(bench.deps, "nightly")).id).toBe(older.id);
    bench.clock.advance(reservationTime);
    await tick(bench);
    expect((await get(bench.deps, "nightly")).id).toBe(older.id);
    const entries = (await indexOf(bench)).filter((key) => /^(job|hold|wait)_/.test(key));
    expect(entries).toEqual([]);
  });

  it("takes its row back when it comes alive after its reservation expired: nothing ran, and key and name are free", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    const key = { "idempotency-key": "the same" };
    gate.before = async ({ method, url }): Promise<"pass"> => {
      if (method !== "POST" || !url.pathname.endsWith("/jobs")) return "pass";
      delete gate.before;
      bench.clock.advance(reservationTime);
      await tick(bench);
      return "pass";
    };
    expect((await post(bench.deps, large("late"), "", key)).status).toBe(503);
    expect((await indexOf(bench)).filter((entry) => entry !== "index")).toEqual([]);
    const again = await post(bench.deps, large("late"), "", key);
    expect(again.status).toBe(200);
    expect((await ask(jobs(bench.deps), {})).body).toMatchObject({ jobs: [{ id: again.id }] });
    expect((await follow(bench, again.id)).phase.state).toBe("Succeeded");
  });

  it("takes its row back also when another call took its key over meanwhile", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    const key = { "idempotency-key": "the same" };
    let second: Awaited<ReturnType<typeof post>> | undefined;
    gate.before = async ({ method, url }): Promise<"pass"> => {
      if (method !== "POST" || !url.pathname.endsWith("/jobs")) return "pass";
      delete gate.before;
      bench.clock.advance(reservationTime + 1);
      second = await post(bench.deps, yaml("late"), "uniqueName=true", key);
      return "pass";
    };
    expect((await post(bench.deps, yaml("late"), "uniqueName=true", key)).status).toBe(503);
    expect(second?.status).toBe(200);
    expect((await ask(jobs(bench.deps), {})).body).toMatchObject({ jobs: [{ id: second?.id }] });
    expect((await post(bench.deps, yaml("late"), "uniqueName=true", key)).id).toBe(second?.id);
  });

  it.each([
    ["its name", "onConflict=attach", {}],
    ["its key", "", { "idempotency-key": "the same" }],
  ])("leaves its row to a caller that attached to it meanwhile by %s", async (_, query, headers) => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    let attached: Awaited<ReturnType<typeof post>> | undefined;
    gate.after = async ({ method, url }): Promise<"pass"> => {
      if (method !== "POST" || !url.pathname.endsWith("/jobs")) return "pass";
      delete gate.after;
      const [entry] = (await indexOf(bench)).filter((key) => key.startsWith("job_"));
      const id = parseJobId(entry?.slice("job_".length) ?? "");
      const pending = id && (await bench.deps.jobs.index.pending(id));
      bench.clock.advance(reservationTime + 1);
      expect(pending && (await bench.deps.jobs.index.expire(pending))).toBe(true);
      attached = await post(bench.deps, yaml("late"), query, headers);
      return "pass";
    };
    const { status, id } = await post(bench.deps, yaml("late"), query, headers);
    expect([status, attached?.status, attached?.id]).toEqual([200, 200, id]);
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("is not taken for dead by an instance whose clock is three minutes ahead", async () => {
    const { bench, refuseRows, takeRows } = await withDeadAcceptor();
    const id = postersId(4);
    const message = { version: 1, id, definition: yaml("slow") };
    refuseRows();
    await expect(deliver(bench.deps, message)).rejects.toThrow();
    takeRows();
    const ahead = { ...bench.deps, now: () => bench.clock.now() + 3 * minute };
    await reconcile(ahead, id, { at: undefined });
    expect(await bench.deps.jobs.index.has(id)).toBe(true);
    await deliver(bench.deps, message, { dequeueCount: 2 });
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("whose reservation is being given back lets nobody go on with it", async () => {
    const { bench, refuseRows, takeRows } = await withDeadAcceptor();
    const id = postersId(5);
    refuseRows();
    await expect(deliver(bench.deps, { version: 1, id, definition: yaml("slow") })).rejects.toThrow();
    takeRows();
    const pending = await bench.deps.jobs.index.pending(id);
    if (pending === undefined) throw new Error("nothing was reserved");
    expect(await bench.deps.jobs.index.expire(pending)).toBe(true);
    expect(await bench.deps.jobs.index.adopt(id, bench.clock.now())).toBeUndefined();
    expect(await bench.deps.jobs.index.expire(pending)).toBe(false);
  });
});

describe("a definition too large for a row", () => {
  it("leaves no blob when its job is refused, or is one that was there already", async () => {
    const bench = await openBench();
    const first = await post(bench.deps, large("bellaciao"));
    expect((await post(bench.deps, large("bellaciao"))).status).toBe(409);
    expect((await post(bench.deps, large("bellaciao"), "onConflict=attach")).id).toBe(first.id);
    expect(await sealedBlobs(bench)).toEqual([first.id]);
  });

  it("never takes the place of another under an id that is known", async () => {
    const bench = await openBench();
    const id = postersId(6);
    const envelope = (exitCode: number): string =>
      JSON.stringify({
        version: 1,
        id,
        definition: yaml("large", { exitCode, output: randomBytes(60_000).toString("hex") }),
      });
    await post(bench.deps, envelope(0));
    const again = await post(bench.deps, envelope(7));
    expect([again.id, again.body["attached"]]).toEqual([id, true]);
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("stays where two bring it at once, whoever of them stores it and whoever gets the id", async () => {
    const bench = await openBench();
    const other = await bench.again();
    const id = postersId(7);
    const text = JSON.stringify({
      version: 1,
      id,
      definition: yaml("large", { output: randomBytes(60_000).toString("hex") }),
    });
    const [put, reserve] = [other.blobs.putSealed.bind(other.blobs), other.jobs.index.reserve.bind(other.jobs.index)];
    let stored: ReturnType<typeof put> | undefined;
    vi.spyOn(other.blobs, "putSealed").mockImplementationOnce((...of) => (stored = put(...of)));
    vi.spyOn(other.jobs.index, "reserve").mockImplementationOnce(async (of) => {
      // It stands still once its blob is there, and meanwhile the first one is done.
      await stored;
      expect((await post(bench.deps, text)).status).toBe(200);
      return reserve(of);
    });
    const again = await post(other, text);
    expect([again.id, again.body["attached"]]).toEqual([id, true]);
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded" });
    expect(await sealedBlobs(bench)).toEqual([id]);
  });

  it("is not that of a submission under its id whose acceptor died before it had the id", async () => {
    const bench = await openBench();
    const dead = await bench.again();
    const id = postersId(8);
    const envelope = (exitCode: number): string =>
      JSON.stringify({
        version: 1,
        id,
        definition: yaml("large", { exitCode, output: randomBytes(60_000).toString("hex") }),
      });
    vi.spyOn(dead.jobs.index, "reserve").mockRejectedValue(new Unavailable("storage", "The host died."));
    expect((await post(dead, envelope(7))).status).toBe(503);
    expect(await sealedBlobs(bench)).toEqual([id]);
    expect((await post(bench.deps, envelope(0))).status).toBe(200);
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded" });
  });
});

// Longer than 350 lines: every trigger that is late, lost or doubled, on one bench.
import { randomBytes } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { InvocationContext } from "@azure/functions";
import { day, minute, second } from "../../src/shared/base/duration.ts";
import { cancel } from "../../src/shared/intake/cancel.ts";
import { readHealth } from "../../src/shared/health/state.ts";
import { reservationTime } from "../../src/shared/intake/reservation.ts";
import { groupName, mintJobId } from "../../src/shared/base/ids.ts";
import { blobContainers } from "../../src/shared/store/blobs.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { events } from "../../src/workers/events.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { sweep } from "../../src/workers/sweep.ts";
import { sweepOrphans } from "../../src/workers/sweep/orphans.ts";
import { wake } from "../../src/workers/wake.ts";
import type { Gate } from "../kit/proxy.ts";
import { target, start } from "../kit/kit.ts";
import {
  countedCalls,
  countersOf,
  follow,
  get,
  groupsOf,
  installationTagOf,
  jobOf,
  messagesIn,
  openBench,
  post,
  useAzurite,
  yaml,
  type Bench,
} from "./kit.ts";

useAzurite();

const runs = (bench: Bench, id: Parameters<typeof follow>[1]) =>
  follow(bench, id, ({ phase }) => phase.state === "Running");

async function tick({ deps }: Pick<Bench, "deps">): Promise<void> {
  const schedule = { adjustForDST: false };
  const scheduleStatus = { last: "", lastUpdated: "", next: "" };
  await sweep(deps)({ isPastDue: false, schedule, scheduleStatus }, new InvocationContext());
}

async function woken({ storage }: Bench): Promise<readonly unknown[]> {
  return (await messagesIn(storage)).map((text): unknown => JSON.parse(text));
}

describe("a reconcile message", () => {
  it("counts only when the row's last reconcile sent it: a job has one chain of messages", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bellaciao"));
    await runs(bench, id);
    const { lookAt } = await jobOf(bench.deps, id);
    const reads = countersOf(bench).calls["get"];
    await reconcile(bench.deps, id, { at: lookAt - 1 });
    expect(countersOf(bench).calls["get"]).toBe(reads);
    bench.clock.advance(second);
    await reconcile(bench.deps, id, { at: lookAt });
    expect(countersOf(bench).calls["get"]).toBe((reads ?? 0) + 1);
    expect((await jobOf(bench.deps, id)).lookAt).not.toBe(lookAt);
  });

  it("that is delivered again after a failure observes the group whatever the row says", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bellaciao"));
    const message = { version: 1, job: id, at: 1 };
    await wake(bench.deps)(message, new InvocationContext({ triggerMetadata: { dequeueCount: 1 } }));
    expect((await jobOf(bench.deps, id)).phase.state).toBe("Queued");
    await wake(bench.deps)(message, new InvocationContext({ triggerMetadata: { dequeueCount: 2 } }));
    expect((await jobOf(bench.deps, id)).phase.state).not.toBe("Queued");
  });

  it("of nobody, or that is malformed, is harmless", async () => {
    const bench = await openBench();
    for (const message of ["hello", {}, { version: 1, job: "6f9619ff-8b86-4011-b42d-00c04fc964ff" }])
      await wake(bench.deps)(message, new InvocationContext());
    expect(await woken(bench)).toEqual([]);
  });
});

describe("many at once", () => {
  it("several hosts that reconcile a job at the same time create one group", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bellaciao"));
    const hosts = await Promise.all([bench.again(), bench.again(), bench.again()]);
    await Promise.all([bench.deps, ...hosts].map((deps) => reconcile(deps, id, { at: undefined })));
    expect(Object.values(countersOf(bench).deploymentsByGroup)).toEqual([1]);
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("a cancel while the create is under way is not lost", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bellaciao", { seconds: 3600 }));
    await Promise.all([reconcile(bench.deps, id, { at: undefined }), cancel(bench.deps, id, undefined)]);
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Canceled", group: "gone" });
    expect(groupsOf(bench)).toEqual([]);
  });
});

describe("what a crash leaves behind", () => {
  const unwritten = {
    columns: {},
    keyEntry: undefined,
    foreignId: false,
    replaces: false,
    createdAt: start,
    turn: start,
    checkAt: start + minute,
    reservedAt: start,
    further: [],
  } as const;

  it("a reservation without a row locks its name for minutes and no longer", async () => {
    const bench = await openBench();
    const id = mintJobId(start, new Uint8Array(10));
    const name = groupName("ghost");
    await bench.deps.jobs.index.reserve({
      ...unwritten,
      id,
      key: { partitionKey: "p", rowKey: "r" },
      name,
      groupName: name,
      want: "hold",
    });
    await reconcile(bench.deps, id, { at: undefined });
    expect(await bench.deps.jobs.index.has(id)).toBe(true);
    bench.clock.advance(reservationTime);
    await tick(bench);
    await reconcile(bench.deps, id, { at: undefined });
    expect(await bench.deps.jobs.index.has(id)).toBe(false);
    const next = await post(bench.deps, yaml("ghost"));
    expect((await follow(bench, next.id)).phase.state).toBe("Succeeded");
    expect(await bench.deps.jobs.index.lockOf(name)).toBeUndefined();
  });

  it("a row without a message is found by the timer", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bellaciao"));
    bench.clock.advance(minute);
    await tick(bench);
    expect(await woken(bench)).toEqual([{ version: 1, job: id }]);
    await tick(bench);
    expect(await woken(bench)).toHaveLength(1);
  });

  it("a message without a row is no trouble", async () => {
    const bench = await openBench();
    await reconcile(bench.deps, mintJobId(start - minute, new Uint8Array(10)), { at: undefined });
    expect((await get(bench.deps, "nothing")).status).toBe(404);
  });

  it("a claim that nobody settles runs out, then the group is looked for", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bellaciao"));
    await bench.deps.jobs.change(id, (job) => ({
      job: {
        ...job,
        placed: target,
        provisioningAt: start,
        firstCreateAt: start,
        claimUntil: start + minute,
        phase: { state: "Provisioning", sentAt: start, mayLandUntil: start + minute },
      },
    }));
    await reconcile(bench.deps, id, { at: undefined });
    expect((await jobOf(bench.deps, id)).lookAt).toBe(start + 65 * second);
    expect(countersOf(bench).calls).toEqual({});
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("nothing is sent under a claim that was saved too slowly: a request could outlive it", async () => {
    let slow: Bench | undefined;
    const bench = await openBench(
      {},
      {
        after: ({ service, method, url }) => {
          if (service === "table" && method === "PUT" && url.pathname.includes("/jobs("))
            slow?.clock.advance(30 * second);
          return "pass";
        },
      },
    );
    const { id } = await post(bench.deps, yaml("bellaciao"));
    slow = bench;
    await reconcile(bench.deps, id, { at: undefined });
    expect((await jobOf(bench.deps, id)).phase.state).toBe("Provisioning");
    expect(countersOf(bench).calls["put"]).toBeUndefined();
    slow = undefined;
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
    expect(countersOf(bench).calls["put"]).toBe(1);
  });

  it("a job whose index entry is gone comes back into the index", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bellaciao"));
    await bench.deps.jobs.index.drop(id);
    await reconcile(bench.deps, id, { at: undefined });
    expect(await bench.deps.jobs.index.has(id)).toBe(true);
  });

  it("the index shows a job as it is, also where its host died after it had saved the row", async () => {
    const gate: Gate = {};
    const bench = await openBench({ MAX_ACTIVE_JOBS: "1" }, gate);
    const { deps, clock } = bench;
    const { id } = await post(deps, yaml("kept"), "keep=always");
    await runs(bench, id);
    clock.advance(20 * second);
    let isSaved = false;
    gate.before = ({ method, url }) =>
      isSaved && method !== "GET" && url.pathname.includes("jobindex(") ? "cut" : "pass";
    gate.after = ({ method, url, body }) => {
      if (method === "PUT" && url.pathname.includes("/jobs(")) isSaved = body.includes('"state":"Succeeded"');
      return "pass";
    };
    await expect(reconcile(deps, id, { at: undefined })).rejects.toThrow("Storage did not answer");
    delete gate.before;
    expect((await jobOf(deps, id)).phase).toMatchObject({ state: "Succeeded", tidy: false });
    clock.advance(2 * minute);
    await tick(bench);
    await reconcile(deps, id, { at: undefined });
    const shown: string[] = [];
    for await (const { state } of deps.jobs.index.active()) shown.push(state);
    expect(shown).toEqual(["Succeeded"]);
    expect((await post(deps, yaml("next"))).status).toBe(200);
  });

  it("a name given to a job that was done with already passes on to who waits", async () => {
    const bench = await openBench();
    const first = await post(bench.deps, yaml("busy"));
    await follow(bench, first.id);
    const name = groupName("busy");
    await bench.deps.jobs.index.take(name, first.id, start);
    const second_ = await post(bench.deps, yaml("busy"));
    expect(second_.status).toBe(200);
    expect((await follow(bench, second_.id)).phase.state).toBe("Succeeded");
  });
});

describe("an outage", () => {
  it("of storage in the middle of a reconcile loses nothing: the message comes again", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    const { id } = await post(bench.deps, yaml("bellaciao"));
    await runs(bench, id);
    for (const service of ["table", "queue"] as const) {
      gate.before = (call) => (call.service === service ? "cut" : "pass");
      bench.clock.advance(20 * second);
      await expect(reconcile(bench.deps, id, { at: undefined })).rejects.toThrow("Storage did not answer as it should");
    }
    delete gate.before;
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("of the queues alone keeps no job from its end: the sweep moves it, and health says that they take nothing", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    const { deps, clock } = bench;
    const { id } = await post(deps, yaml("bellaciao"));
    gate.before = ({ service }) => (service === "queue" ? 403 : "pass");
    for (let minutes = 0; minutes < 15; minutes++) {
      clock.advance(minute);
      await tick(bench);
    }
    expect((await jobOf(deps, id)).phase).toMatchObject({ state: "Succeeded", group: "gone", tidy: true });
    expect(countersOf(bench).calls["put"]).toBe(1);
    delete gate.before;
    const { queue, armOk, counts } = await readHealth(deps);
    expect({ queue: queue.ok, armOk, active: counts.activeJobs }).toEqual({ queue: false, armOk: true, active: 0 });
  });

  it("by somebody who deletes a queue, or the table of attempts, is over when a job needs them: they are made anew", async () => {
    const bench = await openBench();
    const { deps, storage } = bench;
    const { id } = await post(deps, yaml("bellaciao"));
    await storage.queues.getQueueClient(queueNames.wake).delete();
    await storage.table("attempts").deleteTable();
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded", tidy: true });
    expect((await get(deps, id)).body).toMatchObject({ containers: { app: { output: "Hello World!\n" } } });
    expect(await storage.queues.getQueueClient(queueNames.wake).exists()).toBe(true);
  });

  it("by somebody who deletes the table of what there is one of is over with the next pass: its groups stay ours", async () => {
    const bench = await openBench();
    const { storage } = bench;
    const [first, second_] = [await post(bench.deps, yaml("first")), await post(bench.deps, yaml("second"))];
    for (const { id } of [first, second_]) await runs(bench, id);
    await storage.table("control").deleteTable();
    await tick(bench);
    expect((await follow(bench, first.id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
    await storage.table("control").deleteTable();
    const again = { ...bench, deps: await bench.again() };
    expect((await follow(again, second_.id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
  });

  it("by somebody who deletes the table of jobs is over for the next job: only what was in it is lost", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("lost"));
    await runs(bench, id);
    await bench.storage.table("jobs").deleteTable();
    const next = await post(bench.deps, yaml("next"));
    expect((await follow(bench, next.id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
    bench.clock.advance(30 * minute);
    await tick(bench);
    expect(groupsOf(bench)).toEqual([]);
    expect((await post(bench.deps, yaml("lost"))).status).toBe(200);
  });

  it("by somebody who deletes containers of blobs is over when a job needs them: they are made anew", async () => {
    const bench = await openBench();
    const { deps, storage } = bench;
    await deps.control.installation();
    const container = (name: string) => storage.blobs.getContainerClient(name);
    for (const name of [blobContainers.logs, blobContainers.sealed]) await container(name).delete();
    const large = yaml("bellaciao", { seconds: 60, output: randomBytes(60_000).toString("hex") });
    const { id } = await post(deps, large, "env=true");
    expect(await container(blobContainers.sealed).exists()).toBe(true);
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded", tidy: true });
    expect((await get(deps, id)).body).toMatchObject({ containers: { app: { log: "truncated" } } });
  });

  it("of storage just after the create was sent leaves a claim, and one group", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    const { id } = await post(bench.deps, yaml("bellaciao"));
    gate.before = () => (countersOf(bench).calls["put"] === 1 ? "cut" : "pass");
    await expect(reconcile(bench.deps, id, { at: undefined })).rejects.toThrow();
    delete gate.before;
    expect(await jobOf(bench.deps, id)).toMatchObject({ phase: { state: "Provisioning" }, claimUntil: start + minute });
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
    expect(Object.values(countersOf(bench).deploymentsByGroup)).toEqual([1]);
  });

  it("of the sealing key makes a job wait with a reason, and fails it only when the key is unknown", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bellaciao"));
    const blind = await bench.again({ SEAL_KEY_FILE: "/dev/null/seal.key" });
    await reconcile(blind, id, { at: undefined });
    expect((await jobOf(bench.deps, id)).phase).toMatchObject({
      state: "Queued",
      waiting: { reason: "SealKeyUnavailable" },
    });
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });
});

describe("an event of Event Grid", () => {
  const subject = (name: string): object => ({
    subject: `/subscriptions/s/resourcegroups/rg-jobs/providers/Microsoft.ContainerInstance/containerGroups/${name}`,
  });

  it("requeues the job that has the group's name, in any letter case, and several within two seconds requeue it once", async () => {
    const bench = await openBench({}, countedCalls);
    const { id } = await post(bench.deps, yaml("bellaciao"));
    const handle = events(bench.deps);
    const before = bench.calls().length;
    for (let n = 0; n < 3; n++) await handle(subject("BellaCiao"), new InvocationContext());
    const sent = bench
      .calls()
      .slice(before)
      .filter(({ service, url }) => service === "queue" && url.pathname.includes(queueNames.wake));
    expect(sent).toHaveLength(1);
    expect((await bench.deps.jobs.index.lockOf(groupName("bellaciao")))?.lockedBy).toBe(id);
  });

  it("of a name that nobody has costs one read of storage and no call of ARM", async () => {
    const bench = await openBench({}, countedCalls);
    const before = bench.calls().length;
    await events(bench.deps)([subject("unknown")], new InvocationContext());
    expect(bench.calls().length - before).toBe(1);
    expect(countersOf(bench).calls).toEqual({});
  });
});

describe("the orphan sweep", () => {
  const definition = (
    tags: Record<string, string>,
  ): Parameters<Awaited<ReturnType<Bench["deps"]["aci"]>>["aci"]["create"]>[3] => ({
    location: "westeurope",
    tags,
    properties: {
      osType: "Linux",
      restartPolicy: "Never",
      containers: [{ name: "app", properties: { image: "x", resources: { requests: { cpu: 1, memoryInGB: 1 } } } }],
    },
  });
  const add = async ({ deps }: Bench, name: string, tags: Record<string, string>): Promise<void> => {
    const { aci } = await deps.aci();
    await aci.create(target, name, "2023-05-01", definition(tags), (text) => text);
  };
  const tags = async (bench: Bench, job: string, name: string): Promise<Record<string, string>> => ({
    "aciproxy-job": job,
    "aciproxy-attempt": "1",
    "aciproxy-installation": await installationTagOf(bench, name),
  });
  const lost = mintJobId(start, new Uint8Array(10));

  it("removes our own group without a job, after a time of grace, and nothing else", async () => {
    const bench = await openBench();
    await add(bench, "lost", await tags(bench, lost, "lost"));
    // What `az container export` writes out and somebody creates again under another name.
    await add(bench, "copied", await tags(bench, lost, "lost"));
    const { id: old } = await bench.deps.control.installation();
    await add(bench, "of-old", { ...(await tags(bench, lost, "of-old")), "aciproxy-installation": old });
    await add(bench, "anothers", { ...(await tags(bench, lost, "anothers")), "aciproxy-installation": "another" });
    await add(bench, "nobodys", {});
    await tick(bench);
    expect(groupsOf(bench)).toHaveLength(5);
    bench.clock.advance(15 * minute);
    await tick(bench);
    bench.clock.advance(minute);
    expect(
      groupsOf(bench)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["anothers", "copied", "nobodys", "of-old"]);
  });

  it("stops when its time is up, and goes on where it stopped", async () => {
    const bench = await openBench();
    const names = ["a", "b", "c", "d"];
    for (const name of names) await add(bench, name, await tags(bench, lost, name));
    bench.clock.advance(15 * minute);
    const removed = (): number => countersOf(bench).calls["delete"] ?? 0;
    let cursor: string | undefined;
    for (const count of [1, 2, 3, 4]) {
      // Its time is always up.
      const end = await sweepOrphans(bench.deps, 0, cursor);
      expect(removed()).toBe(count);
      expect(end.kind).toBe("unfinished");
      cursor = end.kind === "unfinished" ? end.cursor : undefined;
    }
    expect(await sweepOrphans(bench.deps, 0, cursor)).toEqual({ kind: "completed", cursor: undefined });
    expect(removed()).toBe(4);
  });

  it("has a job whose group came late clean up after itself", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("late"));
    await follow(bench, id);
    await add(bench, "late", await tags(bench, id, "late"));
    bench.clock.advance(15 * minute);
    await tick(bench);
    expect(await woken(bench)).toContainEqual({ version: 1, job: id });
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
    bench.clock.advance(minute);
    expect(groupsOf(bench)).toEqual([]);
  });

  it("has it clean up again, also where ARM said before that nothing was there", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("late"));
    await follow(bench, id);
    await add(bench, "late", await tags(bench, id, "late"));
    const effect = { type: "status", status: 404, code: "ResourceNotFound" } as const;
    bench.aci.faults.add({ match: { method: "DELETE" }, effect, probability: 1, count: 1 });
    for (const left of [1, 0]) {
      bench.clock.advance(15 * minute);
      await tick(bench);
      expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded", group: "gone", tidy: true });
      bench.clock.advance(minute);
      expect(groupsOf(bench)).toHaveLength(left);
    }
  });

  it("leaves the group of a job that runs alone", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("busy", { seconds: 86_400 }));
    await runs(bench, id);
    bench.clock.advance(15 * minute);
    await tick(bench);
    expect(groupsOf(bench)).toHaveLength(1);
  });

  it("after a failed list removes nothing", async () => {
    const bench = await openBench();
    await add(bench, "lost", await tags(bench, lost, "lost"));
    bench.clock.advance(day);
    bench.aci.faults.add({ match: { kind: "list" }, effect: { type: "status", status: 503 }, probability: 1 });
    await tick(bench);
    expect(countersOf(bench).calls["delete"] ?? 0).toBe(0);
  });

  it("after a failed read of the rows removes nothing", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    await add(bench, "lost", await tags(bench, lost, "lost"));
    bench.clock.advance(day);
    gate.before = ({ url }) => (url.pathname.includes("/jobs(") ? "cut" : "pass");
    await tick(bench);
    expect(countersOf(bench).calls["delete"] ?? 0).toBe(0);
  });
});

it("storage that belongs to another subscription's installation is refused with a sentence", async () => {
  const bench = await openBench();
  const other = await bench.again({ AZURE_SUBSCRIPTION_ID: "99999999-2222-3333-4444-555555555555" });
  const refused = await post(other, yaml("bellaciao"));
  expect([refused.status, refused.body["code"]]).toEqual([503, "InvalidSettings"]);
  expect(refused.body.message).toContain("use a storage account of its own");
});

describe("a lease", () => {
  const minutes = async (bench: Bench, id: Parameters<typeof follow>[1], count: number) => {
    for (let n = 0; n < count; n++) {
      bench.clock.advance(minute);
      await tick(bench);
      await reconcile(bench.deps, id, { at: undefined });
    }
    return (await jobOf(bench.deps, id)).phase;
  };

  it("counts from the end of an outage, in which nobody could read the job's Location", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("leased", { seconds: 36_000 }), "polling=true&lease=PT5M");
    await runs(bench, id);
    await tick(bench);
    bench.clock.advance(30 * minute);
    await reconcile(bench.deps, id, { at: undefined });
    expect(await minutes(bench, id, 4)).toMatchObject({ state: "Running" });
    await minutes(bench, id, 2);
    const { phase } = await follow(bench, id);
    expect(phase).toMatchObject({ state: "Canceled", verdict: { reason: "LeaseExpired" } });
  });

  it("counts from the end of an outage also when somebody else changes the row in that moment", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    const { id } = await post(bench.deps, yaml("leased", { seconds: 36_000 }), "polling=true&lease=PT5M");
    await runs(bench, id);
    bench.clock.advance(30 * minute);
    let conflicts = 0;
    gate.before = async ({ method, url }): Promise<"pass"> => {
      if (method === "PUT" && url.pathname.includes("/jobs(") && conflicts++ === 0)
        await bench.deps.jobs.change(id, (job) => ({ job: { ...job, waits: job.waits + 1 } }));
      return "pass";
    };
    await reconcile(bench.deps, id, { at: undefined });
    expect(conflicts).toBeGreaterThan(2);
    gate.before = () => "pass";
    expect((await jobOf(bench.deps, id)).phase).toMatchObject({ state: "Running" });
    expect(await minutes(bench, id, 3)).toMatchObject({ state: "Running" });
  });

  it("counts from the end of an outage that came while its job was reconciled", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("leased", { seconds: 36_000 }), "polling=true&lease=PT5M");
    await runs(bench, id);
    const { aci } = await bench.deps.aci();
    const late = vi.spyOn(aci, "observe").mockImplementationOnce((...asked) => {
      bench.clock.advance(30 * minute);
      return aci.observe(...asked);
    });
    await reconcile(bench.deps, id, { at: undefined });
    expect(late).toHaveBeenCalled();
    expect(await minutes(bench, id, 4)).toMatchObject({ state: "Running" });
    await minutes(bench, id, 2);
    expect((await follow(bench, id)).phase).toMatchObject({ verdict: { reason: "LeaseExpired" } });
  });

  it("runs for its whole time after each read, also one that came too soon after another to be written", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("leased", { seconds: 36_000 }), "polling=true&lease=PT10M");
    await runs(bench, id);
    const read = () => get(bench.deps, id, "poll=1");
    await minutes(bench, id, 2);
    await read();
    bench.clock.advance(50 * second);
    await read();
    await minutes(bench, id, 9);
    bench.clock.advance(50 * second);
    await reconcile(bench.deps, id, { at: undefined });
    expect((await jobOf(bench.deps, id)).phase).toMatchObject({ state: "Running" });
    await minutes(bench, id, 2);
    expect((await follow(bench, id)).phase).toMatchObject({ verdict: { reason: "LeaseExpired" } });
  });

  it("is not lengthened by an outage before the last time that somebody read", async () => {
    const bench = await openBench();
    await tick(bench);
    bench.clock.advance(30 * minute);
    await tick(bench);
    const { id } = await post(bench.deps, yaml("leased", { seconds: 36_000 }), "polling=true&lease=PT5M");
    await runs(bench, id);
    await minutes(bench, id, 6);
    expect((await follow(bench, id)).phase).toMatchObject({ verdict: { reason: "LeaseExpired" } });
  });
});

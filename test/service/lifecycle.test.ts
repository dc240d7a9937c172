// Longer than 350 lines: every way in which a job lives and ends, on one bench.
import { InvocationContext } from "@azure/functions";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { faultSchema } from "../../local/aci/control/faults.ts";
import { VisibleJobs } from "../../src/http/lib/visible.ts";
import { sweepOrphans } from "../../src/workers/sweep/orphans.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { day, hour, minute, second } from "../../src/shared/base/duration.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { target, start } from "../kit/kit.ts";
import {
  countersOf,
  del,
  follow,
  get,
  groupsOf,
  installationTagOf,
  jobOf,
  openBench,
  post,
  useAzurite,
  yaml,
  type Bench,
} from "./kit.ts";

useAzurite();

const runs = (bench: Bench, id: Parameters<typeof follow>[1]) =>
  follow(bench, id, ({ phase }) => phase.state === "Running");
const containerOf = (body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  z.looseObject({ app: z.record(z.string(), z.unknown()) }).parse(body["containers"]).app;
const break_ = ({ aci }: Bench, fault: Parameters<typeof faultSchema.parse>[0]): number =>
  aci.faults.add(faultSchema.parse(fault));

/** A container beside the definition's own. */
const side = `    - name: side
      properties:
        image: registry.example/team/side:1
        resources: {requests: {cpu: 1, memoryInGB: 1}}
`;

describe("a job from its accept to its end", () => {
  it("goes through its states, keeps its output and exit code, and leaves no group", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bellaciao"), "polling=true");
    expect((await get(bench.deps, id, "poll=1")).status).toBe(202);
    const job = await follow(bench, id);
    expect(job.history.map(({ to }) => to)).toEqual(["Queued", "Provisioning", "Pending", "Running", "Succeeded"]);
    expect(job.phase).toMatchObject({ state: "Succeeded", group: "gone", tidy: true, verdict: { exitCode: 0 } });
    expect(groupsOf(bench)).toEqual([]);
    const reply = await get(bench.deps, id);
    expect([reply.status, reply.body.message]).toEqual([200, "Container Group bellaciao finished"]);
    expect(reply.body["containers"]).toMatchObject({
      app: { state: "Terminated", exit_code: 0, output: "Hello World!\n", output_truncated: false, log: "complete" },
    });
  });

  it("says afterwards what it waited for, and since when", async () => {
    const bench = await openBench();
    const first = await post(bench.deps, yaml("busy", { seconds: 300 }));
    const next = await post(bench.deps, yaml("busy"), "onConflict=wait");
    await follow(bench, next.id, ({ phase }) => phase.state === "Queued" && phase.waiting !== undefined);
    await follow(bench, first.id);
    const { history } = await follow(bench, next.id);
    expect(history.slice(0, 3)).toMatchObject([
      { from: "", to: "Queued" },
      { from: "Queued", to: "Queued", reason: "NameBusy", at: start, attempt: 1 },
      { from: "Queued", to: "Provisioning" },
    ]);
  });

  it("ends with the failed container's exit code, and the job's failureStatus", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("failing", { exitCode: 3 }), "failureStatus=424");
    await follow(bench, id);
    const reply = await get(bench.deps, id);
    expect([reply.status, reply.body["exitCode"], reply.body["failedContainer"], reply.body["reason"]]).toEqual([
      424,
      3,
      "app",
      "ExitCode",
    ]);
    expect(reply.body.message).toBe("failing Failed: app exit 3 ExitCode (program). Look at the container's log.");
  });

  it.each([
    { failureStatus: 424, status: 424 },
    { failureStatus: 200, status: 500 }, // 200 would say that it runs
  ])("which who waits for the start sees too: $failureStatus as $status", async ({ failureStatus, status }) => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("failing", { exitCode: 3 }), `failureStatus=${failureStatus}`);
    await follow(bench, id);
    expect((await get(bench.deps, id, "poll=1&until=started")).status).toBe(status);
  });

  it("with retries begins again only when the group before is gone, and keeps every attempt", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("failing", { exitCode: 3 }), "retries=2");
    const job = await follow(bench, id);
    expect(job).toMatchObject({ attempt: 3, retriesUsed: 2, phase: { state: "Failed" } });
    expect(job.attempts.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect((await bench.deps.attempts.all(id)).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(bench.aci.counters.view("aciproxy-job")).toMatchObject({
      liveByTag: { [`aciproxy-job=${id}`]: { now: 0, most: 1 } },
    });
  });

  it("with keep stays for the setting's time, then goes", async () => {
    const bench = await openBench({ KEEP_TIME: "PT1H" });
    const { id } = await post(bench.deps, yaml("kept"), "keep=always");
    const ended = await follow(bench, id, ({ phase }) => phase.state === "Succeeded");
    await reconcile(bench.deps, id, { at: undefined });
    expect(groupsOf(bench)).toHaveLength(1);
    expect((await follow(bench, id)).phase).toMatchObject({ group: "gone" });
    expect(bench.clock.now()).toBeGreaterThanOrEqual(start + hour);
    expect(ended.phase).toMatchObject({ group: "stopped" });
  });

  it("with keep shows no container as running once its group is stopped, though that stays", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("kept", { seconds: 3600 }), "keep=always&runTimeout=PT10M");
    await follow(bench, id, ({ phase }) => phase.state === "TimedOut");
    expect(groupsOf(bench)).toHaveLength(1);
    const { body } = await get(bench.deps, id);
    expect(body["groupDeleted"]).toBe(false);
    expect(containerOf(body)).toMatchObject({ state: "Terminated", detail_status: "Stopped: RunTimeout" });
  });

  it("with keep leaves no group once it is deleted while it runs: the Location of the delete answers 200", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("kept", { seconds: 3600 }), "keep=always");
    await runs(bench, id);
    expect((await del(bench.deps, id, "polling=true")).status).toBe(202);
    await follow(bench, id, ({ phase }) => hasEnded(phase) && phase.group === "gone");
    expect(bench.clock.now()).toBeLessThan(start + hour);
    expect(groupsOf(bench)).toEqual([]);
    expect((await get(bench.deps, id, "poll=1&until=deleted")).status).toBe(200);
  });

  it("with main is over at main's end: what runs beside it is stopped before the job is reported as ended", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("sidecar", { more: side }), "main=app");
    const job = await follow(bench, id);
    expect(job.phase).toMatchObject({ state: "Succeeded", group: "gone" });
    expect((await get(bench.deps, id)).body["containers"]).toMatchObject({
      app: { exit_code: 0 },
      side: { state: "Terminated", exit_code: null, detail_status: "Stopped: Completed" },
    });
  });

  it("with main that restarts is reported with main's own end, output and result", async () => {
    const bench = await openBench();
    const restarts = yaml("restarts", { exitCode: 5, output: '{\\"rows\\": 7}\\n', more: side });
    const { id } = await post(bench.deps, restarts.replace("Never", "Always"), "main=app&outputLimit=0");
    const job = await follow(bench, id);
    expect(job.phase).toMatchObject({ state: "Failed", verdict: { exitCode: 5 } });
    const { body } = await get(bench.deps, id);
    expect(body["containers"]).toMatchObject({
      app: { state: "Terminated", exit_code: 5, log: "truncated", output: "" },
    });
    expect(body["result"]).toEqual({ rows: 7 });
  });

  it("with a timeout is stopped, and reported as ended only when nothing runs any more", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("endless", { seconds: 86_400 }), "timeout=PT2M");
    const stopping = await follow(bench, id, ({ phase }) => "ending" in phase && phase.ending !== undefined);
    expect(stopping.phase.state).toBe("Running");
    expect((await get(bench.deps, id)).body["stopping"]).toMatchObject({ reason: "DeadlineExceeded" });
    const job = await follow(bench, id);
    expect(job.phase).toMatchObject({ state: "TimedOut", verdict: { reason: "DeadlineExceeded" }, group: "gone" });
    expect((await get(bench.deps, id)).body["containers"]).toMatchObject({ app: { output: "Hello World!\n" } });
  });

  it("sends ACI the definition as it was written, with our tags", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("tagged"), "tags=team=data&source=f/p/r/a");
    await runs(bench, id);
    expect(groupsOf(bench)).toEqual([
      {
        name: "tagged",
        tags: {
          team: "data",
          "aciproxy-factory": "f",
          "aciproxy-pipeline": "p",
          "aciproxy-run": "r",
          "aciproxy-activity": "a",
          "aciproxy-job": id,
          "aciproxy-attempt": "1",
          "aciproxy-installation": await installationTagOf(bench, "tagged"),
        },
      },
    ]);
  });
});

describe("delete", () => {
  it("of a job that runs cancels it and deletes its group; may be repeated", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("running", { seconds: 3600 }));
    await runs(bench, id);
    const first = await del(bench.deps, "running", "polling=true");
    expect([first.status, first.headers.get("location")]).toEqual([
      202,
      `http://localhost:7071/api/status/${id}?poll=1&until=deleted`,
    ]);
    expect((await get(bench.deps, id, "poll=1&until=deleted")).status).toBe(202);
    const { phase } = await follow(bench, id);
    expect(phase).toMatchObject({ state: "Canceled", verdict: { reason: "CanceledByCaller" }, group: "gone" });
    expect((await get(bench.deps, id, "poll=1&until=deleted")).status).toBe(200);
    expect([(await del(bench.deps, id)).status, (await del(bench.deps, id, "polling=true")).status]).toEqual([
      200, 200,
    ]);
    const { body } = await get(bench.deps, id);
    expect(String(body["finishedAt"])).toContain(containerOf(body)["finish_time"]);
    expect(containerOf(body)).toMatchObject({
      state: "Terminated",
      exit_code: null,
      detail_status: "Stopped: CanceledByCaller",
      output: "Hello World!\n",
    });
  });

  it("of a job that waits ends it without ACI ever being asked", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("waiting"));
    await del(bench.deps, id);
    expect((await follow(bench, id)).phase.state).toBe("Canceled");
    expect(countersOf(bench).calls).toEqual({});
  });

  it("of a job that has ended deletes a kept group", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("kept"), "keep=always");
    await follow(bench, id, ({ phase }) => phase.state === "Succeeded");
    await del(bench.deps, id);
    await reconcile(bench.deps, id, { at: undefined });
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
    expect(bench.clock.now()).toBeLessThan(start + hour);
  });

  it("of a name that several active jobs have names them", async () => {
    const bench = await openBench();
    const ids = [
      (await post(bench.deps, yaml("twice"), "onConflict=wait")).id,
      (await post(bench.deps, yaml("twice"), "onConflict=wait")).id,
    ];
    const reply = await del(bench.deps, "twice");
    expect([reply.status, reply.body["code"]]).toEqual([409, "AmbiguousName"]);
    expect(new Set(reply.body["ids"] as string[])).toEqual(new Set(ids)); // the reply's documented member
    const visible = new VisibleJobs(bench.deps.jobs, new InvocationContext());
    expect(await visible.activeOf("twice", 1)).toHaveLength(1);
  });

  it("of what was never known is a 404", async () => {
    const bench = await openBench();
    expect([
      (await del(bench.deps, "never")).status,
      (await del(bench.deps, "6f9619ff-8b86-4011-b42d-00c04fc964ff")).status,
    ]).toEqual([404, 404]);
  });
});

describe("a create that ARM accepts and then drops", () => {
  const slow = (name: string): string =>
    yaml(name).replace(
      "- {name: SIM_RUN_SECONDS",
      '- {name: SIM_START_SECONDS, value: "5"}\n          - {name: SIM_RUN_SECONDS',
    );
  const quota = "Container group quota 'StandardCores' exceeded. Limit: '10', Usage: '10' Requested: '1'.";
  const drop = (bench: Bench, more: object): number =>
    break_(bench, { match: { kind: "put" }, effect: { type: "vanish", ...more }, count: 1 });

  it("for want of quota is waited for, and sent again", async () => {
    const bench = await openBench();
    drop(bench, { code: "ContainerGroupQuotaReached", message: quota });
    const { id } = await post(bench.deps, slow("dropped"));
    const waits = await follow(bench, id, ({ phase }) => phase.state === "Queued" && phase.waiting !== undefined);
    expect(waits.phase).toMatchObject({ waiting: { reason: "QuotaReached" } });
    expect(waits.azure).toMatchObject({ code: "ContainerGroupQuotaReached", message: quota });
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
    expect(countersOf(bench).calls).toMatchObject({ put: 2, operation: 1 });
  });

  it.each([
    ["InaccessibleImage", "InaccessibleImage"],
    ["BrandNew", "GroupDisappeared"],
    ["ContainerGroupTransitioning", "GroupDisappeared"],
  ])("with the error %s ends the job as %s, in Azure's own words", async (code, reason) => {
    const bench = await openBench();
    drop(bench, { code, message: "It did not work." });
    const { id } = await post(bench.deps, slow("dropped"));
    const job = await follow(bench, id);
    expect(job.phase).toMatchObject({ state: "Failed", verdict: { reason } });
    expect(job.azure).toMatchObject({ code, message: "It did not work." });
    expect((await get(bench.deps, id)).body.message).toContain("It did not work.");
    expect(countersOf(bench).calls).toMatchObject({ put: 1, operation: 1 });
  });

  it("with an operation that names no error, or is not there, is a group that vanished", async () => {
    const bench = await openBench();
    drop(bench, {});
    const { id } = await post(bench.deps, slow("dropped"));
    expect((await follow(bench, id)).phase).toMatchObject({ verdict: { reason: "GroupDisappeared" } });
    drop(bench, { code: "InaccessibleImage" });
    const other = await post(bench.deps, slow("forgotten"));
    await reconcile(bench.deps, other.id, { at: undefined });
    bench.aci.provider.operations.clear();
    expect((await follow(bench, other.id)).phase).toMatchObject({ verdict: { reason: "GroupDisappeared" } });
    expect(countersOf(bench).calls["operation"]).toBe(2);
  });
});

describe("somebody else", () => {
  it("who deletes a job's group: the job fails and says so, or is tried again if its caller asked", async () => {
    const bench = await openBench();
    for (const [name, query, state] of [
      ["once", "", "Failed"],
      ["again", "retries=1&runTimeout=PT10M", "TimedOut"],
    ] as const) {
      const { id } = await post(bench.deps, yaml(name, { seconds: 3600 }), query);
      await runs(bench, id);
      const group = [...bench.aci.provider.all()].find(({ id: { name: own } }) => own === name);
      if (group) await bench.aci.provider.vanish(group);
      const job = await follow(bench, id);
      expect([job.phase.state, job.attempts[0]?.verdict.reason]).toEqual([state, "GroupDisappeared"]);
    }
  });

  describe("who puts his own group in the place of a job's", () => {
    const theirs = {
      location: "westeurope",
      tags: { team: "theirs" },
      properties: {
        osType: "Linux",
        restartPolicy: "Never",
        containers: [
          {
            name: "app",
            properties: { image: "x", resources: { requests: { cpu: 1, memoryInGB: 1 } }, command: ["sleep", "36000"] },
          },
        ],
      },
    };
    const replace = async (bench: Bench): Promise<void> => {
      for (const group of bench.aci.provider.all()) await bench.aci.provider.vanish(group);
      const { aci } = await (await bench.again()).aci();
      await aci.create(target, "taken", "2023-05-01", theirs, (text) => text);
    };
    const untouched = async (bench: Bench, deletes: number): Promise<void> => {
      bench.clock.advance(day);
      await sweepOrphans(bench.deps, Infinity, undefined);
      expect(groupsOf(bench)).toEqual([{ name: "taken", tags: { team: "theirs" } }]);
      expect(countersOf(bench).calls["delete"] ?? 0).toBe(deletes);
      expect(countersOf(bench).calls["stop"] ?? 0).toBe(0);
    };

    it("while it runs: the job ends as GroupReplaced, and the group is never touched", async () => {
      const bench = await openBench();
      const { id } = await post(bench.deps, yaml("taken", { seconds: 3600 }));
      await runs(bench, id);
      await replace(bench);
      const { phase } = await follow(bench, id);
      expect(phase).toMatchObject({ state: "Failed", verdict: { reason: "GroupReplaced" }, group: "gone" });
      await untouched(bench, 0);
    });

    it("before a cancel: the job is Canceled, and the group is never touched", async () => {
      const bench = await openBench();
      const { id } = await post(bench.deps, yaml("taken", { seconds: 3600 }));
      await runs(bench, id);
      await replace(bench);
      expect((await del(bench.deps, id)).status).toBe(200);
      expect((await follow(bench, id)).phase).toMatchObject({ state: "Canceled", group: "gone" });
      await untouched(bench, 0);
    });

    it("while it is kept: the keep ends, and the group is never touched", async () => {
      const bench = await openBench();
      const { id } = await post(bench.deps, yaml("taken"), "keep=always");
      await follow(bench, id, ({ phase }) => hasEnded(phase));
      await replace(bench);
      bench.clock.advance(25 * hour);
      expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
      await untouched(bench, 0);
    });
  });

  it("who stops a job's group: the job is Stopped, whatever exit codes that left", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("stopped", { seconds: 3600 }));
    await runs(bench, id);
    const [group] = bench.aci.provider.all();
    await group?.deployment.stop();
    expect((await follow(bench, id)).phase).toMatchObject({
      state: "Stopped",
      verdict: { reason: "StoppedExternally" },
    });
  });

  it("a group whose tags were taken away stays the job's, and is not tagged again", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("untagged"));
    await runs(bench, id);
    for (const group of bench.aci.provider.all()) {
      group.definition = { ...group.definition, tags: { team: "theirs" } };
      expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
      expect(group.definition.tags).toEqual({ team: "theirs" });
    }
    expect(groupsOf(bench)).toEqual([]);
  });

  it.each([
    ["a group that this service did not create", {}],
    [
      "a group of another installation",
      { "aciproxy-installation": "another", "aciproxy-job": "6f9619ff-8b86-4011-b42d-00c04fc964ff" },
    ],
  ])("whose group has the name (%s): NameTaken, and the group is never touched", async (_, tags) => {
    const bench = await openBench();
    const other = await bench.again();
    const { aci } = await other.aci();
    const target = {
      subscriptionId: "11111111-2222-3333-4444-555555555555",
      resourceGroup: "rg-jobs",
      location: "westeurope",
    };
    const { id } = await post(bench.deps, yaml("taken"));
    const definition = {
      location: "westeurope",
      tags,
      properties: {
        osType: "Linux",
        restartPolicy: "Never",
        containers: [{ name: "app", properties: { image: "x", resources: { requests: { cpu: 1, memoryInGB: 1 } } } }],
      },
    };
    expect(await aci.create(target, "Taken", "2023-05-01", definition, (text) => text)).toMatchObject({
      kind: "accepted",
    });
    const job = await follow(bench, id);
    expect(job.phase).toMatchObject({ state: "Failed", verdict: { reason: "NameTaken" } });
    expect([groupsOf(bench), countersOf(bench).calls["delete"] ?? 0]).toEqual([[{ name: "Taken", tags }], 0]);
  });

  it("whose finished group has the name gives way with ADOPT_FINISHED_GROUPS", async () => {
    const bench = await openBench({ ADOPT_FINISHED_GROUPS: "true" });
    const { aci } = await bench.deps.aci();
    const target = {
      subscriptionId: "11111111-2222-3333-4444-555555555555",
      resourceGroup: "rg-jobs",
      location: "westeurope",
    };
    const container = {
      name: "app",
      properties: {
        image: "x",
        resources: { requests: { cpu: 1, memoryInGB: 1 } },
        environmentVariables: [{ name: "SIM_RUN_SECONDS", value: "1" }],
      },
    };
    await aci.create(
      target,
      "old",
      "2023-05-01",
      { location: "westeurope", properties: { osType: "Linux", restartPolicy: "Never", containers: [container] } },
      (text) => text,
    );
    bench.clock.advance(minute);
    const { id } = await post(bench.deps, yaml("old"));
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
  });
});

describe("Azure in trouble", () => {
  it("a create whose answer got lost is looked for, and never sent twice", async () => {
    const bench = await openBench();
    break_(bench, { match: { kind: "put" }, effect: { type: "drop", when: "after" }, count: 1 });
    const { id } = await post(bench.deps, yaml("lost"));
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
    expect(Object.values(countersOf(bench).deploymentsByGroup)).toEqual([1]);
  });

  it("a create that is answered with a web page is looked for, and never sent twice", async () => {
    const bench = await openBench();
    break_(bench, { match: { kind: "put" }, effect: { type: "notJson" }, count: 1 });
    const { id } = await post(bench.deps, yaml("paged"));
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
    expect(Object.values(countersOf(bench).deploymentsByGroup)).toEqual([1]);
  });

  it("a create that never arrived is sent again only when it can't arrive any more", async () => {
    const bench = await openBench();
    break_(bench, { match: { kind: "put" }, effect: { type: "drop", when: "before" }, count: 1 });
    const { id } = await post(bench.deps, yaml("lost"));
    const job = await follow(bench, id);
    expect(job.phase.state).toBe("Succeeded");
    const [first, second_] = job.history.filter(({ to }) => to === "Provisioning");
    expect((second_?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(minute);
  });

  it("a delete whose answer got lost keeps the name locked until it can have no effect any more", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("first"));
    break_(bench, { match: { kind: "delete" }, effect: { type: "drop", when: "after" }, count: 1 });
    const { phase } = await follow(bench, id, (job) => job.phase.state === "Succeeded");
    await follow(bench, id);
    expect(bench.clock.now()).toBeGreaterThanOrEqual(("finishedAt" in phase ? phase.finishedAt : 0) + 65 * second);
  });

  it.each([
    [429, "TooManyRequests", "Throttled"],
    [409, "ContainerGroupTransitioning", "GroupBusy"],
    [409, "ServiceUnavailable", "NoCapacity"],
    [400, "RegistryErrorResponse", "RegistryBusy"],
  ])("%i %s delays a job with a reason, and does not fail it", async (httpStatus, code, reason) => {
    const bench = await openBench();
    break_(bench, {
      match: { kind: "put" },
      effect: { type: "status", status: httpStatus, code, retryAfter: 7 },
      count: 1,
    });
    const { id } = await post(bench.deps, yaml("delayed"));
    await reconcile(bench.deps, id, { at: undefined });
    const waiting = await get(bench.deps, id);
    expect([waiting.status, waiting.body["reason"]]).toEqual([202, reason]);
    expect(waiting.body["waiting"]).toMatchObject({ since: "2026-11-24T08:00:00.000Z" });
    await bench.deps.jobs.change(id, (job) => ({ job: { ...job, lookAt: bench.clock.now() + minute } }));
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("a definition that ACI refuses fails at once with Azure's own words", async () => {
    const bench = await openBench();
    break_(bench, {
      match: { kind: "put" },
      effect: {
        type: "status",
        status: 400,
        code: "OsVersionNotSupported",
        message: "The OS version is not supported.",
      },
      count: 1,
    });
    const { id } = await post(bench.deps, yaml("refused"));
    await follow(bench, id);
    const reply = await get(bench.deps, id);
    expect([reply.status, reply.body["reason"], reply.body["fault"]]).toEqual([500, "InvalidDefinition", "definition"]);
    expect(reply.body["azure"]).toMatchObject({
      code: "OsVersionNotSupported",
      message: "The OS version is not supported.",
      httpStatus: 400,
      correlationId: expect.any(String) as unknown,
    });
  });

  it.each(["status", "notJson", "silence"] as const)(
    "reads that fail (%s) are no verdict: the job goes on when ARM does",
    async (type) => {
      const bench = await openBench();
      const { id } = await post(bench.deps, yaml("patient", { seconds: 600 }));
      await runs(bench, id);
      const effect =
        type === "status" ? { type, status: 503 } : type === "silence" ? { type: "drop", when: "before" } : { type };
      const fault = break_(bench, { match: { kind: "get" }, effect }); // one of the three effects
      for (let looks = 0; looks < 5; looks++) {
        bench.clock.advance(minute);
        await reconcile(bench.deps, id, { at: undefined });
      }
      expect((await jobOf(bench.deps, id)).phase.state).toBe("Running");
      bench.aci.faults.remove(fault);
      expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded" });
    },
  );

  it("states never seen before are watched, not judged", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("strange"));
    await runs(bench, id);
    const fault = break_(bench, {
      match: { kind: "get" },
      effect: {
        type: "unknownState",
        provisioningState: "Dreaming",
        groupState: "Floating",
        containerState: "Hovering",
      },
    });
    bench.clock.advance(hour);
    await reconcile(bench.deps, id, { at: undefined });
    expect((await jobOf(bench.deps, id)).phase.state).toBe("Running");
    bench.aci.faults.remove(fault);
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("logs that can't be read now are waited for, but not for ever", async () => {
    const bench = await openBench();
    break_(bench, { match: { kind: "logs" }, effect: { type: "status", status: 503 } });
    const { id } = await post(bench.deps, yaml("silent"));
    const job = await follow(bench, id);
    expect(job.phase).toMatchObject({ state: "Succeeded", verdict: { exitCode: 0 } });
    expect((await get(bench.deps, id)).body["containers"]).toMatchObject({ app: { exit_code: 0, log: "missing" } });
  });

  it("a log whose end can't be read keeps what was read before, and says so", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("half"));
    await runs(bench, id);
    break_(bench, { match: { kind: "logs" }, effect: { type: "status", status: 503 } });
    await follow(bench, id);
    const output = "Hello World!\n[aci-proxy] The end of the log is missing: it could not be read (ArmUnavailable).\n";
    expect((await get(bench.deps, id)).body["containers"]).toMatchObject({ app: { log: "truncated", output } });
  });

  it("maintenance of the platform is tried again at nobody's expense", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("interrupted", { seconds: 600 }));
    await runs(bench, id);
    for (const group of bench.aci.provider.all()) group.deployment.interrupt("Platform");
    const job = await follow(bench, id);
    expect(job).toMatchObject({ attempt: 2, retriesUsed: 0, phase: { state: "Succeeded" } });
    expect(job.attempts[0]?.verdict).toMatchObject({ reason: "PlatformRestart", exitCode: 7147 });
  });

  it("an end that ACI does not confirm in time is reported with groupDeleted false, and the group is deleted when it can be", async () => {
    const bench = await openBench({ STOP_TIMEOUT: "PT1M" });
    const { id } = await post(bench.deps, yaml("stubborn", { seconds: 86_400 }));
    await runs(bench, id);
    const fault = break_(bench, {
      match: { kind: "delete" },
      effect: { type: "status", status: 409, code: "Conflict" },
    });
    await del(bench.deps, id);
    await reconcile(bench.deps, id, { at: undefined });
    const ended = await follow(bench, id, ({ phase }) => phase.state === "Canceled");
    expect(ended.phase).toMatchObject({ group: "present" });
    const { body } = await get(bench.deps, id);
    expect(body["groupDeleted"]).toBe(false);
    expect(containerOf(body)).toMatchObject({ state: "Running", finish_time: null });
    bench.aci.faults.remove(fault);
    expect((await follow(bench, id)).phase).toMatchObject({ group: "gone" });
  });
});

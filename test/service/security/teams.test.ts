// Longer than 350 lines: callers of two teams, as attackers would try. Nothing of another team's jobs is seen, steered, joined or replaced.
import { HttpRequest, InvocationContext } from "@azure/functions";
import { readFileSync } from "node:fs";
import { globSync } from "tinyglobby";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { summary } from "../../../src/http/jobs/summary.ts";
import { guards } from "../../../src/http/lib/auth.ts";
import { link } from "../../../src/http/link.ts";
import { memberOf } from "../../../src/shared/store/group-entries.ts";
import { hasEnded } from "../../../src/shared/job/job.ts";
import { keyOfMinted } from "../../../src/shared/store/job-row.ts";
import { reconcile } from "../../../src/workers/reconcile/reconcile.ts";
import { jobId } from "../../kit/kit.ts";
import { countedCalls, deliver, follow, jobOf, useAzurite, yaml } from "../kit.ts";
import { answer } from "./guarded-call.ts";
import type { ids } from "./teams-kit.ts";
import { as, open, submit, tokenOf, useAuthority } from "./teams-kit.ts";

useAzurite();
useAuthority();

const listed = ({ body }: Awaited<ReturnType<typeof as>>): unknown[] =>
  z
    .array(z.looseObject({ id: z.string() }))
    .parse(body["jobs"])
    .map(({ id }) => id);

describe("a caller of another team", () => {
  it("finds no job by id, by name, in lists, summaries, logs, and steers no job", async () => {
    const bench = await open();
    const { id, status: accepted } = await submit("alice", bench, yaml("secret-plan"));
    expect(accepted).toBe(200);
    expect(await jobOf(bench.deps, id)).toMatchObject({ options: { team: "a" } });
    await reconcile(bench.deps, id, { at: undefined });
    for (const who of ["bob", "nobody"] as const) {
      for (const idOrName of [id, "secret-plan", "SECRET-plan"])
        for (const what of ["status", "logs", "delete"] as const)
          expect((await as(who, bench, what, { params: { idOrName } })).status, `${what} ${idOrName}`).toBe(404);
      for (const what of ["record", "definition", "rerun"] as const)
        expect((await as(who, bench, what, { params: { id } })).status, what).toBe(404);
      for (const query of ["", "state=active", "team=a", "name=secret-plan", "state=active&team=a"]) {
        const told = await as(who, bench, "list", { query });
        expect(told, query).toMatchObject({ status: 200, body: { jobs: [] } });
      }
      for (const query of ["", "by=team", "by=name", "team=a"])
        expect((await as(who, bench, "summary", { query })).body["rows"], query).toEqual([]);
      for (const query of ["format=ndjson", "format=ndjson&state=active"])
        expect((await as(who, bench, "list", { query })).text).toBe("");
    }
    expect((await jobOf(bench.deps, id)).cancel).toBeUndefined();
    expect(listed(await as("alice", bench, "list"))).toEqual([id]);
    expect((await as("alice", bench, "summary", { query: "by=team" })).body["rows"]).toMatchObject([{ key: "a" }]);
    expect((await as("alice", bench, "status", { params: { idOrName: "secret-plan" } })).body).toMatchObject({
      id,
      team: "a",
    });
  });

  it("sees its own job of a name, though another team's is newer", async () => {
    const bench = await open();
    const own = await submit("bob", bench, yaml("shared"), { query: "uniqueName=true" });
    await submit("alice", bench, yaml("shared"), { query: "uniqueName=true" });
    const other = await as("bob", bench, "status", { params: { idOrName: "shared" } });
    expect(other.body).toMatchObject({ id: own.id, team: "b" });
    expect(await as("bob", bench, "delete", { params: { idOrName: "shared" } })).toMatchObject({
      status: 200,
      id: own.id,
    });
  });

  it("hears that a name is taken, and not by whom; it may wait", async () => {
    const bench = await open();
    const held = await submit("alice", bench, yaml("nightly", { seconds: 60 }));
    await follow(bench, held.id, ({ phase }) => phase.state === "Running");
    for (const query of ["", "onConflict=attach"]) {
      const told = await submit("bob", bench, yaml("nightly"), { query });
      expect(told, query).toMatchObject({ status: 409, body: { code: "NameActive" } });
      expect(told.text).not.toMatch(new RegExp(`${held.id}|Running|state`));
    }
    for (const query of ["onConflict=wait", "onConflict=replace"]) {
      const waits = await submit("bob", bench, yaml("nightly"), { query });
      expect(waits.status).toBe(200);
      await reconcile(bench.deps, waits.id, { at: undefined });
      expect(await jobOf(bench.deps, waits.id)).toMatchObject({ phase: { waiting: { reason: "NameBusy" } } });
      const shown = await as("bob", bench, "record", { params: { id: waits.id } });
      expect(shown.text).not.toContain(held.id);
    }
    expect((await jobOf(bench.deps, held.id)).cancel).toBeUndefined();
  });

  it("is not replaced by a job of another team that comes later, while it waits", async () => {
    const bench = await open();
    await submit("alice", bench, yaml("nightly", { seconds: 60 }));
    const waits = await submit("bob", bench, yaml("nightly"), { query: "onConflict=wait" });
    const later = await submit("alice", bench, yaml("nightly"), { query: "onConflict=replace" });
    for (const { id } of [later, waits]) await reconcile(bench.deps, id, { at: undefined });
    expect((await jobOf(bench.deps, waits.id)).cancel).toBeUndefined();
  });

  it("has idempotency keys of its own, and learns nothing of an id that is taken", async () => {
    const bench = await open();
    const id = jobId(7);
    const headers = { "idempotency-key": "same" };
    const first = await submit("alice", bench, yaml("keyed"), { headers });
    const again = await submit("alice", bench, yaml("keyed"), { headers });
    expect(again.body).toMatchObject({ id: first.id, attached: true });
    const other = await submit("bob", bench, yaml("keyed-too"), { headers });
    expect(other.status).toBe(200);
    expect(other.id).not.toBe(first.id);

    const envelope = (name: string) => JSON.stringify({ version: 1, id, definition: yaml(name) });
    expect(await submit("alice", bench, envelope("own-id"))).toMatchObject({ status: 200, id });
    for (const name of ["own-id", "another"]) {
      const told = await submit("bob", bench, envelope(name));
      expect(told).toMatchObject({
        status: 409,
        body: { code: "NameActive", message: "This id can't be used. Use another." },
      });
    }
    await deliver(bench.deps, { version: 1, id, definition: yaml("posted"), options: { team: "b" } });
    expect((await jobOf(bench.deps, id)).joined).toEqual([]);
  });

  it("can't take the id of a job that has ended", async () => {
    const bench = await open();
    const { id } = await submit("alice", bench, yaml("ended", { seconds: 1 }));
    await follow(bench, id, ({ phase }) => hasEnded(phase) && phase.tidy);
    const told = await submit("bob", bench, JSON.stringify({ version: 1, id, definition: yaml("other") }));
    expect(told).toMatchObject({ status: 409, body: { message: "This id can't be used. Use another." } });
    expect(listed(await as("bob", bench, "list"))).toEqual([]);
    expect(listed(await as("alice", bench, "list"))).toEqual([id]);
  });

  it("sees the numbers of a group, and no other team's jobs in it", async () => {
    const bench = await open();
    const [held, waits] = [
      await submit("alice", bench, yaml("slot-1", { seconds: 60 }), { query: "group=db&groupLimit=1" }),
      await submit("bob", bench, yaml("slot-2"), { query: "group=db&groupLimit=1" }),
    ];
    for (const { id } of [held, waits]) await reconcile(bench.deps, id, { at: undefined });
    const seen = await as("bob", bench, "group", { params: { group: "db" } });
    expect(seen.body).toMatchObject({ held: 1, slots: [], waiting: [{ id: waits.id }] });
    expect((await as("bob", bench, "groups")).text).not.toContain(held.id);
    expect((await as("nobody", bench, "groups")).body["groups"]).toEqual([]);
    expect((await as("alice", bench, "group", { params: { group: "db" } })).body).toMatchObject({
      slots: [{ id: held.id }],
      waiting: [],
    });
  });

  it("learns no name of another team's group from where a page of groups ends", async () => {
    const bench = await open();
    for (let n = 0; n < 50; n++) await bench.deps.groups.steer(`merger-${n}`, { limit: 1 });
    const page = await as("bob", bench, "groups");
    expect(page.body).toMatchObject({ groups: [], continuation: expect.any(String) as string });
    const query = `continuation=${String(page.body["continuation"])}`;
    expect(Buffer.from(query, "base64").toString() + page.text).not.toContain("merger");
    expect(await as("bob", bench, "groups", { query })).toMatchObject({ status: 200, body: { groups: [] } });
    expect((await as("bob", bench, "groups", { query: "continuation=merger-1" })).status).toBe(400);
  });

  it("sees its own job in a list of groups, though many of other teams come before it", async () => {
    const bench = await open();
    for (let n = 0; n < 21; n++) {
      const { id } = await submit("alice", bench, yaml(`of-a-${n}`, { seconds: 600 }), { query: "group=db" });
      await bench.deps.groups.seek(memberOf(await jobOf(bench.deps, id)) ?? expect.fail("no member"), false);
    }
    const own = await submit("bob", bench, yaml("of-b", { seconds: 600 }), { query: "group=db" });
    await bench.deps.groups.seek(memberOf(await jobOf(bench.deps, own.id)) ?? expect.fail("no member"), false);
    const { groups } = z.object({ groups: z.array(z.unknown()) }).parse((await as("bob", bench, "groups")).body);
    expect(groups).toMatchObject([{ group: "db", held: 22, slots: [{ id: own.id }], more: false }]);
  });

  it("finds its own job by a name that another team uses much more often, with two reads", async () => {
    const bench = await open({}, countedCalls);
    const own = await submit("bob", bench, yaml("shared"), { query: "uniqueName=true" });
    for (let n = 0; n < 8; n++) await submit("alice", bench, yaml("shared"), { query: "uniqueName=true" });
    const before = bench.calls().length;
    expect(await as("bob", bench, "status", { params: { idOrName: "shared" } })).toMatchObject({ id: own.id });
    expect(bench.calls().length - before).toBe(2);
    expect((await as("nobody", bench, "status", { params: { idOrName: "shared" } })).status).toBe(404);
    expect(bench.calls().length - before).toBeLessThanOrEqual(5);
  });

  it("does not hear which groups Azure has beside, nor ids from the poison queue and of rows that can't be read", async () => {
    const bench = await open();
    const { id } = await submit("alice", bench, yaml("broken"));
    const key = keyOfMinted(id) ?? expect.fail("The id is ours.");
    await bench.storage.table("jobs").updateEntity({ ...key, record: "{" }, "Merge");
    for (const idOrName of [id, "broken"])
      for (const what of ["status", "logs", "delete"] as const)
        expect((await as("bob", bench, what, { params: { idOrName } })).status, `${what} ${idOrName}`).toBe(404);
    expect((await as("bob", bench, "record", { params: { id } })).status).toBe(404);
    for (const what of ["adopt", "poison"] as const) expect((await as("bob", bench, what)).status).toBe(403);
    expect((await as("nobody", bench, "record", { params: { id }, roles: ["Job.Read.All"] })).status).toBe(200);
    expect((await as("bob", bench, "health")).body).toMatchObject({ unreadableRows: 1, unreadable: [] });
    const roles = ["Job.Read.All"];
    expect((await as("bob", bench, "health", { roles })).body).toMatchObject({ unreadable: [{ id }] });
    expect((await as("bob", bench, "poison", { roles })).status).toBe(200);
  });

  it("whoever has a job's link needs no team", async () => {
    const bench = await open();
    const { location } = await submit("alice", bench, yaml("linked"), { query: "polling=link" });
    const token = new URL(location).pathname.split("/").at(-1) ?? "";
    const request = new HttpRequest({ method: "GET", url: location, params: { token } });
    expect(await link(bench.deps)(request, new InvocationContext())).toMatchObject({ status: 202 });
  });
});

describe("the team of a new job", () => {
  it.each<[keyof typeof ids, string, number]>([
    ["alice", "team=b", 403],
    ["alice", "team=default", 403],
    ["nobody", "team=a", 403],
    ["alice", "team=c", 400],
    ["alice", "team=A", 200],
    ["nobody", "source=adf/p/r/x", 200],
  ])("%s with %s gets %s", async (who, query, status) => {
    const bench = await open();
    expect(await submit(who, bench, yaml("own"), { query })).toMatchObject({ status });
    expect(await as(who, bench, "trigger", { body: yaml("checked"), query: `${query}&dryRun=true` })).toMatchObject({
      status,
    });
  });

  it("is default in every filter and summary, also of a job from before there were teams", async () => {
    const bench = await open();
    const before = await bench.again({ AUTH_MODE: "key", TEAMS: "" });
    const old = await as("alice", { ...bench, deps: before }, "trigger", { body: yaml("old") });
    await submit("alice", bench, yaml("of-a"));
    bench.clock.advance(1000);
    const roles = ["Job.Operate"];
    for (const query of ["team=default", "team=Default&state=active"])
      expect(listed(await as("alice", bench, "list", { roles, query })), query).toEqual([old.id]);
    expect((await as("alice", bench, "summary", { roles, query: "by=team" })).body["rows"]).toMatchObject([
      { key: "a", count: 1 },
      { key: "default", count: 1 },
    ]);
    const canceled = await as("alice", bench, "cancelMany", { roles, body: { team: "default" } });
    expect(canceled.body).toMatchObject({ canceled: 1, ids: [old.id] });
  });

  it("is default for who is in no team, who sees jobs from before there were teams", async () => {
    const bench = await open();
    const before = await bench.again({ AUTH_MODE: "key", TEAMS: "" });
    const old = await as("alice", { ...bench, deps: before }, "trigger", { body: yaml("old") });
    const { id } = await submit("nobody", bench, yaml("new"));
    expect(await jobOf(bench.deps, id)).toMatchObject({ options: { team: "default" } });
    expect(listed(await as("nobody", bench, "list"))).toEqual([id, old.id]);
    expect(listed(await as("alice", bench, "list"))).toEqual([]);
    expect(await as("nobody", bench, "caller")).toMatchObject({ body: { teams: ["default"] } });
  });

  it("stays with a rerun", async () => {
    const bench = await open();
    const { id } = await submit("alice", bench, yaml("again", { exitCode: 1 }));
    await follow(bench, id);
    bench.clock.advance(1000);
    const { id: next } = await as("nobody", bench, "rerun", { params: { id }, roles: ["Job.Operate"] });
    expect(await jobOf(bench.deps, next)).toMatchObject({ rerunOf: id, options: { team: "a" } });
  });
});

describe("operators and readers of all", () => {
  it("Job.Operate sees and steers every team's jobs", async () => {
    const bench = await open();
    const roles = ["Job.Operate"];
    const [a, b] = [await submit("alice", bench, yaml("of-a")), await submit("bob", bench, yaml("of-b"))];
    expect(listed(await as("nobody", bench, "list", { roles }))).toEqual([b.id, a.id]);
    expect(listed(await as("nobody", bench, "list", { roles, query: "team=A" }))).toEqual([a.id]);
    const canceled = await as("nobody", bench, "cancelMany", { roles, body: { team: "B" } });
    expect(canceled.body).toMatchObject({ canceled: 1, ids: [b.id] });
    expect(await as("nobody", bench, "rerunMany", { roles, body: { team: "b", dryRun: true } })).toMatchObject({
      status: 200,
    });
    expect(await as("nobody", bench, "priority", { roles, params: { id: a.id }, body: { priority: 1 } })).toMatchObject(
      { status: 200 },
    );
    expect(await as("nobody", bench, "delete", { roles, params: { idOrName: "of-a" } })).toMatchObject({ status: 200 });
  });

  it("Job.Read.All sees every team's jobs, and steers no job", async () => {
    const bench = await open();
    const { id } = await submit("alice", bench, yaml("of-a"));
    const roles = ["Job.Read.All", "Job.Submit"];
    expect(listed(await as("nobody", bench, "list", { roles }))).toEqual([id]);
    expect((await as("nobody", bench, "record", { roles, params: { id } })).status).toBe(200);
    expect((await as("nobody", bench, "delete", { roles, params: { idOrName: id } })).status).toBe(404);
    expect((await as("nobody", bench, "rerun", { roles, params: { id } })).status).toBe(404);
    expect((await as("nobody", bench, "list", { roles: ["Job.Read.All"] })).status).toBe(200);
    expect((await as("nobody", bench, "trigger", { roles: ["Job.Read.All"], body: yaml("x") })).status).toBe(403);
  });

  it("a summary that is remembered is not shown to another team", async () => {
    const bench = await open();
    await submit("alice", bench, yaml("of-a"));
    const make = summary(bench.deps);
    const allow = guards({ settings: bench.deps.settings, log: () => undefined, now: () => bench.clock.now() });
    const rows = async (who: keyof typeof ids): Promise<unknown> => {
      const headers = { authorization: `Bearer ${await tokenOf(who, bench.clock.now())}` };
      const request = new HttpRequest({ method: "GET", url: "http://localhost/api/jobs/summary", headers });
      const { body } = answer.parse(await allow("read", make).handler(request, new InvocationContext()));
      return z.looseObject({ rows: z.array(z.unknown()) }).parse(JSON.parse(body ?? "")).rows.length;
    };
    expect(await rows("alice")).toBe(1);
    expect(await rows("bob")).toBe(0);
  });
});

describe("the queue is a domain of its own", () => {
  it("a message names a team only where that is open, and else leaves a row that says so", async () => {
    const bench = await open();
    const [good, bad] = [jobId(1), jobId(2)];
    await deliver(bench.deps, { version: 1, id: good, definition: yaml("good"), options: { team: "B" } });
    await deliver(bench.deps, { version: 1, id: bad, definition: yaml("bad"), options: { team: "a" } });
    expect(await jobOf(bench.deps, good)).toMatchObject({ options: { team: "b" } });
    expect(await jobOf(bench.deps, bad)).toMatchObject({
      phase: { state: "Failed", verdict: { reason: "InvalidOptions" } },
    });
    // The row of a message that can't work is its team's, too.
    const broken = jobId(3);
    await deliver(bench.deps, { version: 1, id: broken, definition: "name: x", options: { team: "b" } });
    expect(listed(await as("bob", bench, "list"))).toEqual(expect.arrayContaining([good, broken]));
    expect(listed(await as("nobody", bench, "list"))).toEqual([bad]);
  });

  it("a cancel by message reaches only what came by message, before its job comes, too", async () => {
    const bench = await open();
    const [posted, kept] = [jobId(1), jobId(2)];
    const { id } = await submit("alice", bench, yaml("by-http"));
    await deliver(bench.deps, { version: 1, id: posted, definition: yaml("posted", { seconds: 60 }) });
    for (const each of [id, posted, kept]) await deliver(bench.deps, { version: 1, op: "cancel", id: each });
    expect((await jobOf(bench.deps, id)).cancel).toBeUndefined();
    expect((await jobOf(bench.deps, posted)).cancel).toBeDefined();
    await submit("alice", bench, JSON.stringify({ version: 1, id: kept, definition: yaml("own-id") }));
    await reconcile(bench.deps, kept, { at: undefined });
    expect((await jobOf(bench.deps, kept)).phase.state).not.toBe("Canceled");
  });
});

it("no handler reads jobs past the guard, but for links and results, whose token is enough", () => {
  const reads = /\bjobs\s*\.(?:find|peek|peekNewest|columns|list)\(|index\.(?:active|activeOf)\(|\bactiveJobs\(/;
  const past = globSync("src/http/**/*.ts").filter((file) => reads.test(readFileSync(file, "utf8")));
  expect(past.toSorted()).toEqual([
    "src/http/jobs/list.ts", // with a filter of the guard's
    "src/http/jobs/results.ts", // of an array that the guard found
    "src/http/jobs/summary.ts", // with a filter of the guard's
    "src/http/lib/active-jobs.ts", // with a filter of the guard's
    "src/http/lib/visible.ts",
    "src/http/link.ts",
    "src/http/operate/priority.ts", // children of an array that the guard found
    "src/http/operate/resume.ts", // of everybody's
    "src/http/result.ts",
  ]);
});

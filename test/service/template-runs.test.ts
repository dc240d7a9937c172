/** Runs of templates, from the call to the container group. */
import { describe, expect, it } from "vitest";
import { jobs } from "../../src/http/jobs/list.ts";
import { summary } from "../../src/http/jobs/summary.ts";
import { rerun } from "../../src/http/operate/rerun.ts";
import { deleteTemplate } from "../../src/http/operate/templates.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { ask, countedCalls, deliver, follow, jobOf, openBench, post, useAzurite } from "./kit.ts";
import { call, nightly, put, run, secret, variablesOf } from "./templates-kit.ts";

useAzurite();

describe("a run of a template", () => {
  it("is a job of its newest version, with the values in their places", async () => {
    const bench = await openBench();
    await put(bench, "Nightly", nightly());
    await put(bench, "Nightly", nightly("", "2"));
    const accepted = await run(bench.deps, { ...secret, words: ["a", "b"], note: "${keyvault:job-x}" });
    expect(accepted).toMatchObject({ status: 200, body: { name: "nightly" } });
    const job = await follow(bench, accepted.id, ({ phase }) => phase.state === "Running");
    expect(job.template).toEqual({ name: "Nightly", version: 2 });
    expect(variablesOf(bench, "nightly")).toMatchObject({
      image: "registry.example/team/app:2",
      command: ["a", "b"],
      environmentVariables: [
        { value: "10" },
        { name: "NOTE", value: "${keyvault:job-x}" },
        { name: "PASSWORD", secureValue: "hunter2" },
      ],
    });
    expect(await follow(bench, accepted.id)).toMatchObject({ phase: { state: "Succeeded" } });
    const { partitionKey, rowKey } = (await bench.deps.jobs.find(accepted.id))?.key ?? { partitionKey: "", rowKey: "" };
    const row = await bench.storage.table("jobs").getEntity(partitionKey, rowKey);
    expect(row).toMatchObject({ template: "Nightly", templateVersion: 2 });
    expect(JSON.stringify(row)).not.toContain("hunter2");
  });

  it("can name a version, and options of the call win over those of the template", async () => {
    const bench = await openBench();
    await put(bench, "nightly", nightly("x-aciproxy: {retries: 1, outputLimit: 5}"));
    await put(bench, "nightly", nightly());
    const pinned = await run(bench.deps, secret, "template=nightly&version=1&polling=true", {
      options: { outputLimit: 7 },
    });
    expect(pinned.status).toBe(202);
    const job = await jobOf(bench.deps, pinned.id);
    expect(job).toMatchObject({ template: { version: 1 }, options: { retries: 1, outputLimit: 7, polling: "true" } });
    expect(await run(bench.deps, secret, "template=nightly&version=9")).toMatchObject({ status: 404 });
    expect(await run(bench.deps, secret, "template=other")).toMatchObject({
      status: 404,
      body: { code: "TemplateNotFound" },
    });
    expect(await run(bench.deps, secret, "template=nightly&version=x")).toMatchObject({ status: 400 });
    expect(await run(bench.deps, secret, "template=a/b")).toMatchObject({ status: 400 });
    expect(await post(bench.deps, nightly(), "template=nightly")).toMatchObject({ status: 400 });
    expect(await run(bench.deps, secret, "template=nightly", { definition: nightly() })).toMatchObject({ status: 400 });
    expect(await run(bench.deps, {}, "template=nightly")).toMatchObject({
      status: 400,
      body: { code: "InvalidParameters", errors: [{ path: "parameters.password" }] },
    });
    expect(await run(bench.deps, { ...secret, name: "UPPER_CASE!" }, "template=nightly")).toMatchObject({
      status: 400,
      body: { code: "InvalidDefinition" },
    });
  });

  it("is listed and summed under its template's name in any letter case, also after that was deleted and stored again", async () => {
    const bench = await openBench();
    await put(bench, "Nightly", nightly());
    await run(bench.deps, secret, "template=NIGHTLY");
    expect((await call(deleteTemplate, bench, "nightly")).status).toBe(200);
    await put(bench, "NIGHTLY", nightly());
    await run(bench.deps, { ...secret, name: "later" });
    for (const query of ["template=Nightly", "template=nightly", "template=NIGHTLY&state=active"]) {
      expect((await ask(jobs(bench.deps), { query })).body["jobs"]).toHaveLength(2);
      const summed = await ask(summary(bench.deps), { query: `by=template&${query}` });
      expect(summed.body["rows"]).toMatchObject([{ key: "Nightly", count: 2 }]);
    }
    expect((await ask(jobs(bench.deps), { query: "template=a/b" })).body["jobs"]).toEqual([]);
  });

  it("is a plain accept's storage calls, and one more on an instance that has not read that version", async () => {
    const bench = await openBench({}, countedCalls);
    await put(bench, "nightly", nightly());
    const other = await bench.again();
    const counted = async (work: () => Promise<unknown>): Promise<number> => {
      const before = bench.calls().length;
      await work();
      return bench.calls().length - before;
    };
    const text = nightly()
      .replace("${param:name}", "plain")
      .replace("${param:words}", "[]")
      .replace("${param:password}", "x");
    await post(other, text.replace("plain", "first"));
    const plain = await counted(() => post(other, text));
    const named = (name: string) => () => run(other, { ...secret, name });
    expect(await counted(named("first-run"))).toBe(plain + 1);
    expect(await counted(named("second-run"))).toBe(plain);
    bench.clock.advance(11_000);
    expect(await counted(named("third-run"))).toBe(plain + 1);
  });

  it("goes on when its template is changed or deleted, through retry and rerun, and never reads it again", async () => {
    const bench = await openBench();
    const failing = nightly().replace(
      /^ *- \{name: SIM_RUN.*$/m,
      (line) => `${line}\n${line.replace("RUN_SECONDS", "EXIT_CODE")}`,
    );
    await put(bench, "nightly", failing);
    const { id } = await run(bench.deps, { ...secret, note: "${keyvault:job-x}" }, "template=nightly&retries=1");
    await put(bench, "nightly", nightly("", "2"));
    await call(deleteTemplate, bench, "nightly");
    expect(await follow(bench, id, ({ attempt, phase }) => attempt === 2 && phase.state === "Running")).toBeDefined();
    expect(variablesOf(bench, "nightly")).toMatchObject({ image: "registry.example/team/app:1" });
    expect(await follow(bench, id)).toMatchObject({ attempt: 2, phase: { state: "Failed" } });
    const again = await ask(rerun(bench.deps), { params: { id }, text: "" });
    const job = await follow(bench, again.id, ({ phase }) => phase.state === "Running");
    expect(job).toMatchObject({ rerunOf: id, template: { name: "nightly", version: 1 } });
    expect(variablesOf(bench, "nightly")).toMatchObject({
      environmentVariables: [{}, {}, { value: "${keyvault:job-x}" }, { secureValue: "hunter2" }],
    });
  });

  it("comes on the queue too; one that can't be run leaves a row that says why", async () => {
    const bench = await openBench();
    await put(bench, "nightly", nightly());
    const posters = (n: number): JobId => `0198f000-0000-4000-8000-00000000000${n}` as JobId; // UUIDs
    await deliver(bench.deps, {
      version: 1,
      id: posters(1),
      template: "nightly",
      templateVersion: 1,
      parameters: secret,
    });
    expect(await follow(bench, posters(1))).toMatchObject({ phase: { state: "Succeeded" }, template: { version: 1 } });
    await deliver(bench.deps, { version: 1, id: posters(2), template: "other", parameters: secret });
    expect(await jobOf(bench.deps, posters(2))).toMatchObject({
      phase: { state: "Failed", verdict: { reason: "TemplateNotFound" } },
    });
    await deliver(bench.deps, { version: 1, id: posters(3), template: "nightly", parameters: { passwort: "hunter2" } });
    const refused = await jobOf(bench.deps, posters(3));
    expect(refused).toMatchObject({ phase: { verdict: { reason: "InvalidParameters" } } });
    expect(JSON.stringify(refused)).not.toContain("hunter2");
    await deliver(bench.deps, { version: 1, id: posters(4), template: "nightly", definition: "name: x" });
    expect(await jobOf(bench.deps, posters(4))).toMatchObject({ phase: { verdict: { reason: "InvalidMessage" } } });
    await deliver(bench.deps, { version: 1, id: posters(5), definition: nightly(), parameters: secret });
    expect(await jobOf(bench.deps, posters(5))).toMatchObject({ phase: { verdict: { reason: "InvalidMessage" } } });
  });

  it("is judged by the policy of its day, which the refusal names", async () => {
    const bench = await openBench();
    await put(bench, "nightly", nightly());
    const strict = await bench.again({ POLICY_REGISTRIES: "other.example" });
    const refused = await run(strict);
    expect(refused).toMatchObject({ status: 400, body: { code: "PolicyRefused" } });
    expect(refused.body.message).toContain("POLICY_REGISTRIES");
  });

  it("is compared under an idempotency key by what the caller sent, secrets too, not by what the template was", async () => {
    const bench = await openBench();
    await put(bench, "nightly", nightly());
    const keyed = (parameters: object, query = "template=nightly") =>
      post(bench.deps, JSON.stringify({ parameters }), query, { "idempotency-key": "night 1" });
    const { id } = await keyed({ ...secret, note: "a" });
    await put(bench, "nightly", nightly("", "2"));
    expect(await keyed({ note: "a", PASSWORD: "hunter2" })).toMatchObject({
      status: 200,
      id,
      body: { attached: true },
    });
    expect(await keyed({ ...secret, note: "b" })).toMatchObject({ status: 422, body: { path: "parameters.note" } });
    expect(await keyed({ note: "a", password: "other" })).toMatchObject({
      status: 422,
      body: { path: "parameters.password" },
    });
    expect(await keyed({ ...secret, note: "a" }, "template=nightly&version=1")).toMatchObject({
      status: 422,
      body: { path: "templateVersion" },
    });
    const arrays = (items: string) => put(bench, "arrays", nightly(`x-aciproxy: {array: ${items}, uniqueName: true}`));
    const array = (query = "") =>
      post(bench.deps, JSON.stringify({ parameters: secret }), `template=arrays${query}`, {
        "idempotency-key": "night 2",
      });
    await arrays("[a, b]");
    const first = await array();
    await arrays("[a, c, d]");
    expect(await array()).toMatchObject({ status: 200, id: first.id, body: { attached: true } });
    expect(await array("&array=2")).toMatchObject({ status: 422, body: { path: "array" } });
    const plain = nightly().replace("${param:name}", "nightly").replace("${param:words}", "[]");
    expect(
      await post(bench.deps, plain.replace("${param:password}", "x"), "", { "idempotency-key": "night 1" }),
    ).toMatchObject({ status: 422, body: { path: "template" } });
  });
});

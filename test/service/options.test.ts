import { expect, it } from "vitest";
import type { Job } from "../../src/shared/job/job.ts";
import { optionsTable, type OptionName } from "../../src/shared/job/options.ts";
import { jobId } from "../kit/kit.ts";
import { deliver, get, groupsOf, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

type Given = Readonly<Record<string, string>>;

/** What each option refuses, alone or because of another. `polling` takes any word, with a warning. */
const refused: Readonly<Record<Exclude<OptionName, "polling">, readonly Given[]>> = {
  timeout: [{ timeout: "0" }, { timeout: "P8D" }, { timeout: "an hour" }],
  queueTimeout: [{ queueTimeout: "-1" }, { queueTimeout: "61", timeout: "60" }],
  startTimeout: [{ startTimeout: "P1Y" }, { startTimeout: "PT2H", timeout: "PT1H" }],
  runTimeout: [{ runTimeout: "0" }, { runTimeout: "PT61S", timeout: "60" }],
  retries: [{ retries: "11" }, { retries: "-1" }, { retries: "some" }],
  retryOn: [{ retryOn: "5-1" }, { retryOn: "Tuesday", retries: "1" }],
  onConflict: [{ onConflict: "fight" }],
  uniqueName: [{ uniqueName: "maybe" }, { uniqueName: "" }],
  main: [{ main: "no-such-container" }, { main: "" }],
  keep: [{ keep: "forever" }],
  lease: [{ lease: "PT4M59S" }, { lease: "P8D" }, { lease: "PT10M", callBackUri: "https://adf.example/run" }],
  env: [{ env: "PATH" }, { env: "" }],
  group: [{ group: "" }, { group: "a b" }, { group: "a\\b" }, { group: "é" }, { group: "x".repeat(129) }],
  groupLimit: [{ groupLimit: "0", group: "a" }, { groupLimit: "10001", group: "a" }, { groupLimit: "3" }],
  onGroupFull: [
    { onGroupFull: "attach", group: "a" },
    { onGroupFull: "reject" },
    { onGroupFull: "reject", group: "a", array: "2" },
  ],
  priority: [{ priority: "86401" }, { priority: "-86401" }, { priority: "high" }],
  team: [{ team: "" }, { team: "a/b" }, { team: "x".repeat(65) }],
  tags: [{ tags: "aciproxy-job=mine" }, { tags: "a<b=c" }],
  source: [{ source: "factory/pipeline" }],
  failureStatus: [{ failureStatus: "201" }, { failureStatus: "429" }, { failureStatus: "600" }],
  outputLimit: [{ outputLimit: "262145" }, { outputLimit: "-1" }],
  array: [{ array: "0" }, { array: "10001" }, { array: "[]" }, { array: '["a",1]' }, { array: "many" }],
  parallelism: [{ parallelism: "0", array: "2" }, { parallelism: "10001", array: "2" }, { parallelism: "3" }],
  failFast: [{ failFast: "maybe", array: "2" }, { failFast: "true" }],
  minSuccess: [{ minSuccess: "3", array: "2" }, { minSuccess: "101%", array: "2" }, { minSuccess: "1" }],
  pack: [{ pack: "1", array: "9" }, { pack: "61", array: "9" }, { pack: "3" }],
  strict: [{ strict: "very" }, { strict: "" }],
  dryRun: [{ dryRun: "wet" }, { dryRun: "" }],
};
const unknown: readonly Given[] = [{ timeOuts: "60" }];

/** The same order both ways: what HTTP says, and the row that the queue leaves. */
async function bothWays(bench: Bench, given: Given, n: number): Promise<{ told: unknown; status: number; row: Job }> {
  const { callBackUri, ...options } = given;
  const text = `${callBackUri === undefined ? "" : `callBackUri: ${callBackUri}`}${yaml("refused")}`;
  const reply = await post(bench.deps, text, new URLSearchParams(options).toString());
  const id = jobId(n);
  await deliver(bench.deps, { version: 1, id, definition: text, options });
  return { told: reply.body, status: reply.status, row: await jobOf(bench.deps, id) };
}

it("a bad option is a 400 with its name by HTTP, and on the queue a Failed row that says the same", async () => {
  const bench = await openBench({ CALLBACK_HOSTS: "adf.example" });
  const cases = [...Object.entries(refused), ["timeOuts", unknown] as const];
  const all = cases.flatMap(([option, list]) => list.map((given) => ({ option, given })));
  for (const [n, { option, given }] of all.entries()) {
    const shown = JSON.stringify(given);
    const { told, status, row } = await bothWays(bench, given, n + 1);
    expect(status, shown).toBe(400);
    expect(told, shown).toMatchObject({ errors: [{ path: option }] });
    const { message } = told as { message: string }; // each of our replies has one
    expect(message, shown).toContain(option);
    expect(row.phase, shown).toMatchObject({
      state: "Failed",
      verdict: { reason: "InvalidOptions", detail: message },
    });
    const { body } = await get(bench.deps, row.id);
    expect(body.message, shown).toContain(message.slice(0, 100));
  }
  expect(groupsOf(bench)).toEqual([]);
});

it("every option is refused something here", () => {
  expect(["polling", ...Object.keys(refused)].sort()).toEqual(Object.keys(optionsTable).sort());
});

it("a parameter of a query that is there twice, with two values, is a 400 that says so", async () => {
  const bench = await openBench();
  for (const query of ["timeout=PT1H&TimeOut=PT2H", "template=a&Template=b", "template=a&version=1&Version=2"]) {
    const [name = ""] = query.split("&").at(-1)?.toLowerCase().split("=") ?? [];
    const { status, body } = await post(bench.deps, yaml("twice"), query);
    expect([status, body.message], query).toEqual([400, expect.stringContaining(`${name} must be there once only`)]);
    expect(body["errors"], query).toMatchObject([{ path: name }]);
  }
});

it("the source of a query, in any letter case, wins over the header x-adf-run", async () => {
  const bench = await openBench();
  const headers = { "x-adf-run": "other/other/other/other" };
  const { id, body } = await post(bench.deps, yaml("sourced"), "SOURCE=factory/pipeline/run/activity", headers);
  expect(body["warnings"]).toBeUndefined();
  expect((await jobOf(bench.deps, id)).options.source).toMatchObject({ factory: "factory" });
});

it("a member of an envelope that is wrong is the path of its fault", async () => {
  const bench = await openBench();
  for (const [path, more] of Object.entries({
    id: { id: "x" },
    "replyTo.queue": { replyTo: {} },
    definition: { definition: 1 },
  })) {
    const envelope = { version: 1, definition: yaml("wrong"), ...more };
    const { status, body } = await post(bench.deps, JSON.stringify(envelope));
    expect([status, body["errors"]]).toMatchObject([400, [{ path, line: 1 }]]);
  }
});

it("several bad options are reported at once", async () => {
  const bench = await openBench();
  const { told, row } = await bothWays(bench, { retries: "99", keep: "maybe", wrong: "1" }, 1);
  expect(told).toMatchObject({ errors: [{ path: "retries" }, { path: "keep" }, { path: "wrong" }] });
  expect(row.phase).toMatchObject({ verdict: { detail: expect.stringContaining("And 2 more") as unknown } });
});

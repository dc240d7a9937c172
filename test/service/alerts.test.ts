/** Every alert and every panel of the workbook, over what the app really logs: a fault raises its alert, and a quiet hour raises no alert. */
import { readFileSync } from "node:fs";
import { InvocationContext } from "@azure/functions";
import { z } from "zod";
import { describe, expect, it, onTestFinished } from "vitest";
import { startVault } from "../../local/vault/vault.ts";
import { faultSchema } from "../../local/aci/control/faults.ts";
import { hour, minute } from "../../src/shared/base/duration.ts";
import { jsonLog } from "../../src/shared/base/log.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { wake } from "../../src/workers/wake.ts";
import { alerts, fires, traceOf, type Tables } from "../kit/alerts.ts";
import { NotSupported, runQuery, type Row } from "../kit/kql.ts";
import type { Gate } from "../kit/proxy.ts";
import { startReceiver } from "../kit/receiver.ts";
import { followAll } from "./arrays-kit.ts";
import { deliver, follow, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../infra/${path}`, import.meta.url), "utf8"));

interface Watched extends Bench {
  /** What Application Insights has of it: the tables of the workspace. */
  readonly tables: Tables;
}

async function watched(environment: Record<string, string> = {}, gate?: Gate): Promise<Watched> {
  const tables: Tables = { AppTraces: [], AppRequests: [], _LogOperation: [] };
  let now = (): number => 0;
  const log = jsonLog((level, line) => tables.AppTraces.push(traceOf(now(), level, line)));
  const bench = await openBench(environment, gate, { log });
  now = () => bench.clock.now();
  return { ...bench, tables };
}

const raised = ({ clock, tables }: Watched): string[] =>
  alerts.filter((alert) => fires(alert, tables, clock.now())).map(({ name }) => name.replace("aci-proxy-", ""));

async function sweepFor(bench: Watched, minutes: number): Promise<void> {
  for (let n = 0; n < minutes; n++) {
    bench.clock.advance(minute);
    await runPass(bench.deps, "timer");
    // Here no host delivers the message that a pass sends ahead; this is what its pass would say.
    await bench.deps.control.heartbeat(bench.clock.now(), { completed: true, by: "queue", load: undefined });
  }
}

const breakAci = ({ aci }: Bench, fault: Parameters<typeof faultSchema.parse>[0]): number =>
  aci.faults.add(faultSchema.parse(fault));

it("raises no alert while all is well", async () => {
  const bench = await watched();
  await sweepFor(bench, 16);
  for (const name of ["one", "two"]) await follow(bench, (await post(bench.deps, yaml(name))).id);
  await sweepFor(bench, 16);
  expect(raised(bench)).toEqual([]);
});

/** What breaks, and the alerts that are to tell of it within minutes. */
describe("an alert is raised by", () => {
  const quietly = async (bench: Watched): Promise<void> => {
    await sweepFor(bench, 11);
    expect(raised(bench)).toEqual([]);
  };

  it("a sweep that stopped", async () => {
    const bench = await watched();
    await quietly(bench);
    bench.clock.advance(11 * minute);
    expect(raised(bench)).toEqual(["heartbeat"]);
  });

  it.each([
    ["refuses us", { type: "status", status: 403, code: "AuthorizationFailed" }],
    ["does not answer", { type: "status", status: 503, code: "ServiceUnavailable" }],
  ])("an Azure Resource Manager that %s", async (_, effect) => {
    const bench = await watched();
    await quietly(bench);
    breakAci(bench, { match: {}, effect });
    await sweepFor(bench, 4);
    expect(raised(bench)).toContain("arm");
  });

  it("Azure Resource Manager's throttling", async () => {
    const bench = await watched();
    await quietly(bench);
    const { id } = await post(bench.deps, yaml("slow", { seconds: 7200 }));
    await follow(bench, id, ({ phase }) => phase.state === "Running");
    breakAci(bench, {
      match: { kind: "get" },
      effect: { type: "status", status: 429, code: "TooManyRequests", retryAfter: 300 },
    });
    for (let n = 0; n < 12; n++) {
      await reconcile(bench.deps, id, { at: undefined });
      await sweepFor(bench, 1);
    }
    expect(raised(bench)).toContain("throttled");
  });

  it("a poison message", async () => {
    const bench = await watched();
    await quietly(bench);
    const queue = bench.storage.queues.getQueueClient("aci-wake-poison");
    await queue.createIfNotExists();
    await queue.sendMessage("{}");
    await sweepFor(bench, 3);
    expect(raised(bench)).toEqual(["poison"]);
  });

  it("a group that can't be deleted", async () => {
    const bench = await watched({ STOP_TIMEOUT: "PT1M" });
    await quietly(bench);
    const { id } = await post(bench.deps, yaml("stays", { seconds: 1 }));
    breakAci(bench, {
      match: { kind: "delete" },
      effect: { type: "status", status: 500, code: "InternalServerError" },
    });
    await follow(bench, id, ({ phase }) => phase.state === "Succeeded" || phase.state === "Failed");
    bench.clock.advance(31 * minute);
    await sweepFor(bench, 3);
    expect(raised(bench)).toContain("leaked-groups");
  });

  it("a row that can't be read", async () => {
    const bench = await watched();
    await quietly(bench);
    const { id } = await post(bench.deps, yaml("torn"));
    const stored = await bench.deps.jobs.find(id);
    const key = stored?.key ?? { partitionKey: "", rowKey: "" };
    await bench.storage.table("jobs").updateEntity({ ...key, record: "{" }, "Merge");
    await sweepFor(bench, 6);
    expect(raised(bench)).toContain("unreadable-rows");
  });

  it("a seal key that is out of reach", async () => {
    const vault = await startVault({ keys: ["seal"] });
    onTestFinished(() => vault.stop());
    const bench = await watched({ SEAL_KEY_FILE: "", SEAL_KEY_ID: `${vault.url}/keys/seal` });
    await quietly(bench);
    vault.fail({ status: 403, code: "Forbidden" });
    await sweepFor(bench, 4);
    expect(raised(bench)).toEqual(["key-vault"]);
  });

  it("a topic that takes no events", async () => {
    const topic = await startReceiver();
    onTestFinished(() => topic.stop());
    const bench = await watched({ EVENT_TOPIC_ENDPOINT: topic.url });
    await quietly(bench);
    topic.answer = 500;
    for (const name of ["a", "b", "c"]) await follow(bench, (await post(bench.deps, yaml(name))).id);
    await sweepFor(bench, 6);
    expect(raised(bench)).toEqual(["endpoints"]);
  });

  it("a job that has waited for an hour", async () => {
    const bench = await watched();
    await quietly(bench);
    await bench.deps.control.pause("maintenance", bench.clock.now());
    await post(bench.deps, yaml("waits"));
    bench.clock.advance(61 * minute);
    await sweepFor(bench, 4);
    expect(raised(bench)).toContain("jobs-wait");
  });

  it("a day's limit that is used up", async () => {
    const bench = await watched({ DAILY_VCPU_SECONDS: "5" });
    await quietly(bench);
    await follow(bench, (await post(bench.deps, yaml("dear", { seconds: 30 }))).id);
    await sweepFor(bench, 3);
    expect(raised(bench)).toEqual(["daily-limit"]);
  });

  it("functions that fail, and errors that the app logs", async () => {
    let fails = false;
    const bench = await watched({}, { before: ({ url }) => (fails && /jobindex/.test(url.pathname) ? 503 : "pass") });
    await quietly(bench);
    const { id } = await post(bench.deps, yaml("stuck"));
    await follow(bench, id, ({ phase }) => phase.state === "Running");
    fails = true;
    for (let n = 0; n < 12; n++) {
      bench.clock.advance(20_000);
      // As the host writes it of an invocation.
      const message = JSON.stringify({ version: 1, job: id });
      let Success = true;
      try {
        await wake(bench.deps)(message, new InvocationContext());
      } catch {
        Success = false;
      }
      bench.tables.AppRequests.push({
        TimeGenerated: new Date(bench.clock.now()),
        Name: "wake",
        Success,
        ItemCount: 1,
      });
    }
    await sweepFor(bench, 1).catch(() => undefined);
    expect(raised(bench)).toEqual(expect.arrayContaining(["failing-functions", "errors"]));
  });

  it("many jobs that fail, and each pipeline whose job failed", async () => {
    const bench = await watched();
    await quietly(bench);
    for (let n = 0; n < 11; n++) {
      const options = `source=contoso/pipeline-${n % 2}/run-${n}/step`;
      await follow(
        bench,
        (await post(bench.deps, yaml(`job-${n}`, { seconds: 1, exitCode: n % 4 ? 1 : 0 }), options)).id,
      );
    }
    await sweepFor(bench, 1);
    expect(raised(bench)).toEqual(["failure-rate", "pipeline-failed"]);
    const failed = alerts.find(({ name }) => name === "aci-proxy-pipeline-failed");
    const rows = runQuery(failed?.query ?? "", bench.tables);
    expect(rows.map(({ pipeline }) => pipeline).toSorted()).toEqual(["pipeline-0", "pipeline-1"]);
  });

  it("an array as a whole: children that it can do without raise nothing", async () => {
    const bench = await watched();
    await quietly(bench);
    const text = yaml("nightly", { seconds: 1, exitCode: "${item.code}" });
    const items = encodeURIComponent(JSON.stringify([{ code: 0 }, { code: 1 }]));
    for (const minSuccess of [1, 2]) {
      await post(bench.deps, text, `array=${items}&minSuccess=${minSuccess}`);
      await followAll(bench);
      await sweepFor(bench, 1);
      expect(raised(bench)).toEqual(minSuccess === 1 ? [] : ["pipeline-failed"]);
    }
  });

  it("jobs that run for longer than nearly all of their name did", async () => {
    const bench = await watched();
    await quietly(bench);
    for (let n = 0; n < 10; n++) await follow(bench, (await post(bench.deps, yaml("copy", { seconds: 30 }))).id);
    bench.clock.advance(hour);
    await sweepFor(bench, 1);
    for (let n = 0; n < 5; n++) {
      const { id } = await post(bench.deps, yaml("copy", { seconds: 7200 }), "uniqueName=true");
      await follow(bench, id, ({ phase }) => phase.state === "Running" && phase.late === true);
      await sweepFor(bench, 1);
      expect(raised(bench)).toEqual(n < 4 ? [] : ["jobs-late"]);
    }
    expect(bench.tables.AppTraces.filter(({ Message }) => String(Message).includes('"job late"'))).toHaveLength(5);
  });

  it("a workspace whose daily cap is reached", async () => {
    const bench = await watched();
    await quietly(bench);
    // "Set daily cap on Log Analytics workspace", Azure Monitor.
    bench.tables._LogOperation.push({
      TimeGenerated: new Date(bench.clock.now()),
      Category: "Ingestion",
      Operation: "Data collection Status",
      Detail: "OverQuota: the daily limit was reached. Data collection stopped.",
    });
    expect(raised(bench)).toEqual(["ingestion-cap"]);
  });
});

describe("the workbook", () => {
  const panels = z
    .object({ items: z.array(z.object({ name: z.string(), content: z.object({ query: z.string().optional() }) })) })
    .parse(read("workbook.json"))
    .items.flatMap(({ name, content: { query } }) => (query === undefined ? [] : [{ name, query }]));

  it("shows something in every panel, from what the app writes", async () => {
    const bench = await watched();
    for (const [n, exitCode] of [0, 1, 137].entries())
      await follow(bench, (await post(bench.deps, yaml(`night-${n}`, { exitCode }), "source=contoso/etl/run/step")).id);
    await deliver(bench.deps, "name: broken");
    await post(bench.deps, yaml("waits"));
    await sweepFor(bench, 2);
    const timestamp = new Date(bench.clock.now());
    const request = (name: string, success: boolean, resultCode: string): Row => ({
      ...{ timestamp, name, success, resultCode, duration: 12, itemCount: 1 },
    });
    const customDimensions = { "http.response.status_code": "429" };
    const tables = {
      traces: bench.tables.AppTraces.map(({ TimeGenerated, Message, SeverityLevel, ItemCount }) => ({
        timestamp: TimeGenerated,
        message: Message,
        severityLevel: SeverityLevel,
        itemCount: ItemCount,
      })),
      requests: [request("POST /api/trigger", true, "400"), request("wake", false, "0")],
      customMetrics: [{ timestamp, name: "aciproxy.arm.calls", valueSum: 3, customDimensions }],
    };
    expect(panels.length).toBeGreaterThan(10);
    for (const { name, query } of panels) expect(runQuery(query, tables).length, name).toBeGreaterThan(0);
    const rate = panels.find(({ name }) => name === "rate");
    expect(runQuery(rate?.query ?? "", tables)).toMatchObject([
      { pipeline: "etl", jobs: 3, succeeded: 1, percent: 33.3 },
      {},
    ]);
  });
});

it.each(["order by a desc", "join (x) on y", "summarize countif(a == 1)", "where a matches regex 'x'", "where f(a)"])(
  "a query with %s is refused, because nothing here can run it",
  (step) => {
    expect(() => runQuery(`T | ${step}`, { T: [{ a: 1 }] })).toThrow(NotSupported);
  },
);

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvocationContext } from "@azure/functions";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { makeDeps } from "../../src/shared/deps.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { parseSettings } from "../../src/shared/config/settings.ts";
import { sweep } from "../../src/workers/sweep.ts";
import { startAzurite } from "../kit/azurite.ts";
import { part } from "../kit/document.ts";
import { infra } from "./bicep.ts";
import { deploymentOf, environments, ofType } from "./environments.ts";
import { idleCostTable, type IdleCounts } from "./idle-cost.ts";
import { roleTable } from "./roles.ts";

vi.setConfig({ testTimeout: 60_000 });

const root = join(infra, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

test("docs/identity.md shows the table of roles as the templates read it", () => {
  const rows = roleTable.map(
    ({ principal, role, scope, when, why }) => `| ${principal} | ${role} | ${scope} | ${when} | ${why} |`,
  );
  const table = ["| who | role | on what | when | why |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
  expect(part("docs/identity.md", "roles", table)).toBe(table);
});

/** What one run of the timer asks of storage and of Azure Resource Manager when there is nothing to do. */
async function countedSweep(): Promise<{ storage: number; arm: number }> {
  const azurite = await startAzurite();
  const folder = await mkdtemp(join(tmpdir(), "idle-"));
  const settings = parseSettings({
    AzureWebJobsStorage: azurite.connectionString,
    AZURE_RESOURCE_MANAGER_ENDPOINT: "http://127.0.0.1:9",
    AZURE_SUBSCRIPTION_ID: "00000000-0000-0000-0000-000000000000",
    AZURE_RESOURCE_GROUP: "none",
    AZURE_LOCATION: "westeurope",
    PUBLIC_URL: "http://localhost",
    SEAL_KEY_FILE: join(folder, "seal.key"),
  });
  const run = sweep(makeDeps({ settings, log: () => undefined }));
  const tick = () =>
    run(
      { isPastDue: false, schedule: { adjustForDST: false }, scheduleStatus: { last: "", next: "", lastUpdated: "" } },
      new InvocationContext(),
    );
  const seen = { storage: 0, arm: 0 };
  // Other tests of this worker may have calls under way still.
  const storage = Object.values(azurite.ports).map((port) => `127.0.0.1:${port}`);
  const countCall = (host: string): void => {
    if (host === "127.0.0.1:9") seen.arm++;
    else if (storage.includes(host)) seen.storage++;
  };
  const count = (message: unknown): void => {
    const { request } = message as { request: ClientRequest }; // what "http.client.request.start" carries
    countCall(String(request.getHeader("host")));
  };
  // The tables are asked through undici, which publishes its requests on a channel of its own.
  const countTables = (message: unknown): void => {
    const { request } = message as { request: { origin: string | URL } }; // what "undici:request:create" carries
    countCall(new URL(request.origin).host);
  };
  try {
    await tick(); // the first run makes what is missing, and looks for orphans
    subscribe("http.client.request.start", count);
    subscribe("undici:request:create", countTables);
    await tick();
    return seen;
  } finally {
    unsubscribe("http.client.request.start", count);
    unsubscribe("undici:request:create", countTables);
    await azurite.stop();
    await rm(folder, { recursive: true });
  }
}

test("docs/deploy.md states the idle system's cost from what the code does while it has nothing to do", async () => {
  const app = read("src/index.ts");
  expect([...app.matchAll(/app\.timer\(.*schedule: "([^"]*)"/g)].map(([, schedule]) => schedule)).toEqual([
    "0 * * * * *",
  ]);
  expect([...app.matchAll(/app\.storageQueue\(/g)]).toHaveLength(Object.keys(queueNames).length);
  const host = z
    .object({ extensions: z.object({ queues: z.object({ maxPollingInterval: z.string() }) }) })
    .parse(JSON.parse(read("host.json")));
  const [hours = 0, minutes = 0, seconds = 0] = host.extensions.queues.maxPollingInterval.split(":").map(Number);
  const [dev] = environments;
  const [site] = dev ? ofType(deploymentOf(dev), "Microsoft.Web/sites") : [];
  const { functionAppConfig } = z
    .object({ functionAppConfig: z.object({ scaleAndConcurrency: z.object({ instanceMemoryMB: z.number() }) }) })
    .parse(site?.properties);
  const idle = await countedSweep();
  const counts: IdleCounts = {
    timerRunsPerMinute: 1,
    storageCallsPerRun: idle.storage,
    armCallsPerRun: idle.arm,
    queues: Object.keys(queueNames).length,
    pollSeconds: (hours * 60 + minutes) * 60 + seconds,
    instanceGb: functionAppConfig.scaleAndConcurrency.instanceMemoryMB / 1024,
    logAlerts: dev ? ofType(deploymentOf(dev), "Microsoft.Insights/scheduledQueryRules").length : 0,
  };
  const table = idleCostTable(counts);
  const calls = `A run of the timer with nothing to do makes ${idle.storage} calls to storage and ${idle.arm} to Azure Resource Manager.`;
  expect(part("docs/deploy.md", "idle cost", table)).toBe(table);
  expect(part("docs/deploy.md", "idle calls", calls)).toBe(calls);
});

describe("The documents", () => {
  const documents = [
    "README",
    "data-factory-in-five-minutes",
    "data-factory",
    "data-factory-without-keys",
    "deploy",
    "fabric",
    "identity",
    "open-questions",
    "posting",
    "runbook",
    "warm-start",
    "when-to-use",
  ].map((name) => `docs/${name}.md`);

  test.each(documents)("%s names only files, scripts and parameters that there are", (document) => {
    const text = read(document);
    for (const [, path = ""] of text.matchAll(/`((?:infra|scripts|src|docs|Containers|examples|\.github)\/[\w./-]+)`/g))
      expect(existsSync(join(root, path)), path).toBe(true);
    for (const [, path = ""] of text.matchAll(/\]\(((?!http)[\w./-]+)/g))
      expect(existsSync(join(root, "docs", path)), path).toBe(true);
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read("package.json")));
    for (const [, script = ""] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(script);
    const parameters = [...read("infra/main.bicep").matchAll(/^param (\w+)/gm)].map(([, name]) => name);
    for (const [, name] of text.matchAll(/parameter `(\w+)`/g)) expect(parameters).toContain(name);
  });

  test("docs/deploy.md needs at most three commands either way", () => {
    const blocks = ["azd", "az"].map((way) => part("docs/deploy.md", `commands ${way}`));
    for (const block of blocks) {
      const commands = block
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("```") && !line.startsWith("#"));
      expect(commands.length).toBeGreaterThan(0);
      expect(commands.length).toBeLessThanOrEqual(3);
    }
  });

  test("docs/runbook.md has every heading that an alert names", () => {
    const [dev] = environments;
    const alerts = dev
      ? JSON.stringify([
          ...ofType(deploymentOf(dev), "Microsoft.Insights/scheduledQueryRules"),
          ...ofType(deploymentOf(dev), "Microsoft.Insights/metricAlerts"),
        ])
      : "";
    const named = [...alerts.matchAll(/See the runbook, \\"([^"\\]+)\\"/g)].map(([, heading]) => heading ?? "");
    expect(named).toHaveLength(15);
    for (const heading of named) expect(read("docs/runbook.md")).toMatch(new RegExp(`^#+ ${heading}$`, "m"));
  });

  test("docs/data-factory.md describes every pipeline", () => {
    const [dev] = environments;
    const pipelines = dev ? ofType(deploymentOf(dev), "Microsoft.DataFactory/factories/pipelines") : [];
    for (const { name } of pipelines) expect(read("docs/data-factory.md")).toContain(name.split("/")[1]);
  });
});

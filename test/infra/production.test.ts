import { describe, expect, test } from "vitest";
import { z } from "zod";
import { runQuery, type Row } from "../kit/kql.ts";
import type { Evaluated } from "./bicep.ts";
import { deploymentOf, environments, ofType } from "./environments.ts";
import { siteOf } from "./site.ts";

const named = (name: string): Evaluated => {
  const environment = environments.find((candidate) => candidate.name === name);
  if (environment === undefined) throw new Error(name);
  return deploymentOf(environment);
};

describe("Production", () => {
  const prod = named("prod");

  test("keeps its storage in three zones, and what is deleted for two weeks", () => {
    for (const { sku } of ofType(prod, "Microsoft.Storage/storageAccounts"))
      expect(sku).toEqual({ name: "Standard_ZRS" });
    for (const { properties } of ofType(prod, "Microsoft.Storage/storageAccounts/blobServices"))
      expect(properties).toMatchObject({
        deleteRetentionPolicy: { enabled: true, days: 14 },
        containerDeleteRetentionPolicy: { enabled: true, days: 14 },
      });
  });

  test("logs who deletes rows and messages", () => {
    const logged = ofType(prod, "Microsoft.Insights/diagnosticSettings").filter(({ id }) =>
      /funcstorage\w*\/(queue|table)Services\//.test(id),
    );
    expect(logged.map(({ properties }) => properties["logs"])).toEqual([
      [{ category: "StorageDelete", enabled: true }],
      [{ category: "StorageDelete", enabled: true }],
    ]);
  });

  test("takes calls of Data Factory alone, until the environment names others", () => {
    const { siteConfig } = siteOf(prod);
    expect(siteConfig.ipSecurityRestrictionsDefaultAction).toBe("Deny");
    expect(siteConfig.ipSecurityRestrictions?.map(({ ipAddress }) => ipAddress)).toEqual(["DataFactory"]);
  });
});

describe("By default", () => {
  const dev = named("dev");

  test("nothing is made or kept that costs beyond what there was", () => {
    for (const { sku } of ofType(dev, "Microsoft.Storage/storageAccounts"))
      expect(sku).toEqual({ name: "Standard_LRS" });
    expect(dev.predictedResources.filter(({ type }) => type.startsWith("Microsoft.Network/"))).toEqual([]);
    expect(siteOf(dev).siteConfig.ipSecurityRestrictions ?? []).toEqual([]);
    expect(siteOf(dev).functionAppConfig.scaleAndConcurrency.alwaysReady).toEqual([]);
  });

  test("the app runs on Node 24", () => {
    expect(ofType(dev, "Microsoft.Web/sites")[0]?.properties).toMatchObject({
      functionAppConfig: { runtime: { name: "node", version: "24" } },
    });
  });
});

describe.each(environments)("The alerts of $name", (environment) => {
  const deployment = deploymentOf(environment);
  const [app] = ofType(deployment, "Microsoft.Web/sites");
  const alerts = ["scheduledQueryRules", "metricAlerts", "actionGroups"].flatMap((type) =>
    ofType(deployment, `Microsoft.Insights/${type}`),
  );

  test("bear the app's name, so that two installations can tell the same people", () => {
    for (const { name } of alerts) expect(name).toMatch(new RegExp(`^${app?.name ?? "none"}-`));
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  });

  test("count the rows of this app alone, whoever else writes to the workspace", () => {
    const criteria = z.object({ criteria: z.object({ allOf: z.tuple([z.object({ query: z.string() })]) }) });
    const [insights] = ofType(deployment, "Microsoft.Insights/components");
    const own = insights?.id.toLowerCase() ?? "";
    const row = (resource: string): Row => ({ _ResourceId: resource, Name: "sweep", Success: false, ItemCount: 1 });
    const tables = { AppTraces: [row(own), row(`${own}2`)], AppRequests: [row(own), row(`${own}2`)] };
    const rules = ofType(deployment, "Microsoft.Insights/scheduledQueryRules").map(
      ({ properties }) => criteria.parse(properties).criteria.allOf[0].query,
    );
    const ofApp = rules.filter((query) => query.startsWith("App"));
    expect(rules.filter((query) => !query.startsWith("App"))).toEqual([expect.stringMatching(/^_LogOperation /)]);
    for (const query of ofApp) {
      const [table = "", where = ""] = query.split(" | ");
      expect(runQuery(`${table} | ${where}`, tables)).toEqual([row(own)]);
    }
  });
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { bicep, inCopy, infra, without, type Evaluated } from "./bicep.ts";
import { warmCompiler } from "./compiler.ts";
import { ofType } from "./environments.ts";
import { evaluate } from "./evaluate.ts";

vi.setConfig({ testTimeout: 180_000 });

const compiled = bicep === undefined ? describe.skip : describe;

/** Only environments/ reads it here; the other parameter files are a test's own. */
const compiler = warmCompiler({ ACI_PROXY_PREFIX: "kgdemo" });

/** @param template of a test's own, for `using 'own.bicep'`. */
const evaluateOwn = (parameters: string, template = ""): Promise<Evaluated | string> =>
  inCopy(async (folder) => {
    await writeFile(join(folder, "own.bicep"), template);
    await writeFile(join(folder, "own.bicepparam"), parameters);
    return evaluate(compiler(), folder, "own.bicepparam");
  });

const devWith = (prefix: string): Promise<Evaluated | string> =>
  evaluateOwn(`using 'main.bicep'\nparam prefix = '${prefix}'\nparam env = 'dev'\n`);

/** A small template for each rule. */
const judged = async (rule: string, value: string): Promise<unknown> => {
  const template = `import * as naming from 'naming.bicep'\nparam value string\noutput judged string = naming.${rule}\n`;
  const result = await evaluateOwn(`using 'own.bicep'\nparam value = '${value}'\n`, template);
  return typeof result === "string" ? result : result.outputs["judged"];
};

compiled(`A wrong parameter${bicep === undefined ? ` (${without})` : ""}`, () => {
  test.each([
    [
      "checkedPrefix(value, 'seed')",
      "Kgdemo",
      'prefix must be 2 to 9 lower-case letters and digits, the first a letter; it is "Kgdemo".',
    ],
    ["checkedPrefix(value, 'seed')", "1kg", 'the first a letter; it is "1kg".'],
    ["checkedPrefix(value, 'seed')", "k", 'it is "k".'],
    ["checkedEnv(value)", "d-v", 'env must be 1 to 4 lower-case letters and digits; it is "d-v".'],
    [
      "checkedBlock(value)",
      "10.0.0.0/24",
      'networkAddressPrefix must be a block of /22 or larger, like 10.70.0.0/16; it is "10.0.0.0/24".',
    ],
    ["checkedEmail(value)", "nobody", 'alertEmail must be a mail address; it is "nobody".'],
  ])("is refused in a sentence before anything is made: %s, %s", async (rule, value, sentence) => {
    expect(await judged(rule, value)).toContain(sentence);
  });

  test("stops the whole deployment", async () => {
    expect(await devWith("kg_demo")).toContain("prefix must be 2 to 9 lower-case letters and digits");
  });

  test("that is too long is refused by its declared length", async () => {
    expect(await devWith("kgdemokgdemo")).toMatch(/length|too long/i);
  });
});

compiled("A prefix of one's own", () => {
  test("begins every name, as in the original", async () => {
    expect(await evaluate(compiler(), infra, "environments/dev.bicepparam")).toMatchObject({
      outputs: { KEY_VAULT: "kgdemokeyvaultdev", FUNCTION_APP: "kgdemoaciproxydev", DATA_FACTORY: "kgdemoadfdev" },
    });
  });
});

const rest = `using 'main.bicep'
param env = 'dev'
param plan = 'Dedicated'
param existingSystemTopics = { aci: 'their-topic' }
param administratorId = '55555555-5555-5555-5555-555555555555'
`;

compiled("Options that no environment uses", () => {
  test("reuse a system topic, run on a dedicated plan and let an administrator write secrets", async () => {
    const deployment = await evaluateOwn(rest);
    if (typeof deployment === "string") throw new Error(deployment);
    expect(ofType(deployment, "Microsoft.EventGrid/systemTopics")).toEqual([]);
    const [subscription] = ofType(deployment, "Microsoft.EventGrid/systemTopics/eventSubscriptions");
    expect(subscription?.name).toMatch(/^their-topic\//);
    const [plan] = ofType(deployment, "Microsoft.Web/serverfarms");
    expect(plan).toMatchObject({ kind: "linux", sku: { name: "B1" } });
    const [app] = ofType(deployment, "Microsoft.Web/sites");
    expect(JSON.stringify(app)).toContain('{"name":"FUNCTIONS_WORKER_RUNTIME","value":"node"}');
    expect(app?.properties).toMatchObject({ siteConfig: { alwaysOn: true, linuxFxVersion: "NODE|24" } });
    const administrator = ofType(deployment, "Microsoft.Authorization/roleAssignments").filter(
      ({ properties }) => properties["principalId"] === "55555555-5555-5555-5555-555555555555",
    );
    expect(administrator.map(({ properties }) => properties["roleDefinitionId"])).toEqual([
      expect.stringContaining("b86a8fe4-44ce-4948-aee5-eccb2c155cd7"),
      expect.stringContaining("b86a8fe4-44ce-4948-aee5-eccb2c155cd7"),
    ]);
  });
});

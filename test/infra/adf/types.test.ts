import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { bicep, inCopy, infra, without } from "../bicep.ts";
import { said, warmCompiler } from "../compiler.ts";
import type { Json } from "./expressions.ts";

vi.setConfig({ testTimeout: 120_000 });

const folder = join(infra, "datafactory");
const document = z.object({ name: z.string(), properties: z.record(z.string(), z.json()) });

/** JSON as Bicep writes it, so that the compiler compares it with Data Factory's published types: what is loaded from a file it does not. */
function literal(value: Json): string {
  if (typeof value === "string") {
    const escaped = value
      .replaceAll("\\", "\\\\")
      .replaceAll("'", "\\'")
      .replaceAll("\n", "\\n")
      .replaceAll("${", "\\${");
    return `'${escaped}'`;
  }
  if (Array.isArray(value)) return `[\n${value.map((item: Json) => literal(item)).join("\n")}\n]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([name, item]) => `${literal(name)}: ${literal(item)}`);
    return `{\n${members.join("\n")}\n}`;
  }
  return String(value);
}

const template = (pipelines: readonly z.infer<typeof document>[]): string =>
  [
    "resource factory 'Microsoft.DataFactory/factories@2018-06-01' existing = { name: 'factory' }",
    ...pipelines.map(
      ({ name, properties }, i) =>
        `resource p${i} 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = {\nparent: factory\nname: ${literal(name)}\nproperties: ${literal(properties)}\n}`,
    ),
  ].join("\n");

const compiler = warmCompiler();
const compiled = bicep === undefined ? describe.skip : describe;

compiled(`Pipelines${bicep === undefined ? ` (${without})` : ""}`, () => {
  const pipelines = readdirSync(folder).map((file) =>
    document.parse(JSON.parse(readFileSync(join(folder, file), "utf8"))),
  );
  const diagnosticsOf = (list: readonly z.infer<typeof document>[]): Promise<string> =>
    inCopy(async (copy) => {
      await writeFile(join(copy, "pipelines.bicep"), template(list));
      // Types only: how it is written is no matter.
      await writeFile(join(copy, "bicepconfig.json"), JSON.stringify({ analyzers: { core: { enabled: false } } }));
      return said(await compiler().compile(join(copy, "pipelines.bicep")));
    });

  test("are of Data Factory's published types", async () => {
    expect(await diagnosticsOf(pipelines)).toBe("");
  });

  test("with a property that is not there are not", async () => {
    const broken = JSON.stringify(pipelines).replace("reportStatusOnCallBack", "reportStatus");
    expect(await diagnosticsOf(z.array(document).parse(JSON.parse(broken)))).toContain("reportStatus");
  });
});

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { globSync } from "tinyglobby";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { check } from "../../client/validate.ts";
import { deriveJobId } from "../../src/shared/base/ids.ts";
import { parseSettings } from "../../src/shared/config/settings.ts";
import { parseDefinition } from "../../src/shared/definition/index.ts";
import { part } from "../kit/document.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const pages = globSync(["*.md", "docs/*.md", "local/*.md"], { cwd: root }).toSorted();

test("docs/README.md leads to every page of docs/", () => {
  const map = read("docs/README.md");
  const all = globSync(["docs/*.md", "docs/*.json"], { cwd: root }).map((file) => basename(file));
  expect(all.filter((page) => page !== "README.md" && !map.includes(`](${page})`))).toEqual([]);
});

test("every container group that a page shows is valid, and so is every file in examples/", () => {
  const shown = pages.flatMap((page) =>
    [...read(page).matchAll(/^```ya?ml\n(.*?)^```$/gms)]
      .map(([, text = ""]) => text)
      .filter((text) => text.includes("containers:"))
      .map((text) => [page, text] as const),
  );
  const files = globSync(["examples/*"], { cwd: root }).map((file) => [file, read(file)] as const);
  expect(files.length).toBeGreaterThan(1);
  for (const [name, text] of [...shown, ...files])
    expect([name, check(text)]).toEqual([name, { faults: [], warnings: [] }]);
});

test("the move from YAML 1.1 is as docs/data-factory.md says", () => {
  const [row = ""] = /^\| YAML 1\.1: .*$/m.exec(read("docs/data-factory.md")) ?? [];
  const [before = ""] = row.split(" | YAML 1.2");
  const scalars = [...before.matchAll(/`([^`]+)`/g)].map(([, scalar = ""]) => scalar);
  expect(scalars).toHaveLength(8);
  const definition = (more: string): string => `
name: x
properties:
  osType: Linux
  restartPolicy: Never
  volumes: [{name: shared, emptyDir: {}}]
  containers:
  - name: app
    properties:
      image: registry.example/app:1
      resources: {requests: {cpu: 1, memoryInGB: 1}}
${more}`;
  const variables = scalars.map((scalar, i) => `      - {name: V${i}, value: ${scalar}}`).join("\n");
  const parsed = parseDefinition(definition(`      environmentVariables:\n${variables}`), {
    defaultApiVersion: "2025-09-01",
  });
  expect(parsed).toMatchObject({ ok: true, warnings: [] });
  const sent = z.array(z.object({ value: z.string() }));
  const body = parsed.ok ? JSON.stringify(parsed.definition.body) : "";
  const [, list = "[]"] = /"environmentVariables":(\[.*?\])/.exec(body) ?? [];
  expect(sent.parse(JSON.parse(list)).map(({ value }) => value)).toEqual(scalars);
  const mounted = definition("      volumeMounts: [{name: shared, mountPath: /shared, readOnly: yes}]");
  expect(parseDefinition(mounted, { defaultApiVersion: "2025-09-01" })).toMatchObject({
    ok: false,
    faults: [{ line: 12, message: "readOnly must be true or false." }],
  });
});

describe("docs/posting.md", () => {
  test("computes the id of a posted job as the service does", async () => {
    const [code = ""] = /^function jobId.*?^}$/ms.exec(part("docs/posting.md", "queue node")) ?? [];
    const source = `import { hash } from "node:crypto";\nexport ${code}`;
    const module: unknown = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`);
    const { jobId } = z
      .object({ jobId: z.function({ input: [z.string(), z.string()], output: z.string() }) })
      .parse(module);
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 0, max: 4_000_000_000 }), (messageId, second) => {
        const inserted = new Date(second * 1000).toUTCString();
        expect(jobId(messageId, inserted)).toBe(deriveJobId(second * 1000, messageId));
      }),
    );
  });
});

test("docs/when-to-use.md and docs/warm-start.md compute their prices from those that they name", () => {
  const page = read("docs/when-to-use.md");
  const { priceVcpuHour, priceGbHour } = parseSettings({});
  const seconds = 600;
  const prices = {
    aci: (priceVcpuHour + 2 * priceGbHour) / 6,
    apps: seconds * (0.000024 + 2 * 0.000003),
    flex: seconds * 2 * 0.000026,
  };
  const shown = (price: number): string => `$${price.toFixed(3)}`;
  expect(page).toContain(
    `| 1 vCPU, 2 GB for ten minutes | ${shown(prices.aci)} | ${shown(prices.apps)}, after a free grant of ${180_000 / 3600} vCPU hours a month | ${shown(prices.flex)} (Flex, a 2 GB instance) |`,
  );
  for (const price of [priceVcpuHour, priceGbHour]) expect(page).toContain(`$${price} a`);
  const month = 730 * (priceVcpuHour + 1.5 * priceGbHour);
  expect(read("docs/warm-start.md")).toContain(`about $${month.toFixed(0)} a month`);
});

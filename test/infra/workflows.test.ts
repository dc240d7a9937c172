import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { infra } from "./bicep.ts";

/** What the parser has to say about a workflow's structure and expressions. */
function faultsOf(content: string): readonly string[] {
  const { context } = parseWorkflow({ name: "workflow.yml", content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}

const root = join(infra, "..");
const folder = join(root, ".github/workflows");
const files = readdirSync(folder);

const step = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const workflow = z.looseObject({
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.looseObject({
      "timeout-minutes": z.number(),
      permissions: z.record(z.string(), z.string()).optional(),
      steps: z.array(step),
    }),
  ),
});

describe.each(files)("The workflow %s", (file) => {
  const text = readFileSync(join(folder, file), "utf8");
  const parsed = workflow.parse(load(text));
  const steps = Object.values(parsed.jobs).flatMap((job) => job.steps);

  test("is what GitHub's own parser of workflows asks for", () => {
    expect(faultsOf(text)).toEqual([]);
  });

  test("pins every action to a commit, and says which version that is", () => {
    for (const { uses } of steps) {
      if (uses === undefined) continue;
      expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      expect(text).toMatch(new RegExp(`${uses} # v\\d+\\.\\d+\\.\\d+`));
    }
  });

  test("may only read unless a job needs more, and ends in time", () => {
    expect(parsed.permissions).toEqual({ contents: "read" });
    for (const job of Object.values(parsed.jobs)) expect(job["timeout-minutes"]).toBeLessThanOrEqual(60);
  });

  test("uses no secret but the run's own token, and puts no input into a script's text", () => {
    expect(text).not.toMatch(/secrets\./);
    for (const { run = "" } of steps) expect(run).not.toMatch(/\$\{\{\s*(inputs|github\.event|vars)/);
  });

  test("leaves no credentials behind and runs only scripts that there are", () => {
    for (const { uses = "", with: given } of steps)
      if (uses.startsWith("actions/checkout@")) expect(given).toMatchObject({ "persist-credentials": false });
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
    for (const { run = "" } of steps) {
      const script = /npm run (\w+)/.exec(run)?.[1];
      if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
    }
  });
});

test("that parser sees a mistake", () => {
  const broken = "on: push\njobs:\n  x:\n    runs_on: ubuntu-24.04\n    steps:\n      - run: 'true'\n";
  expect(faultsOf(broken)).not.toEqual([]);
});

test("CI does what the README's test command does, then lint, typecheck, build and package, on every supported Node", () => {
  const text = readFileSync(join(folder, "ci.yml"), "utf8");
  const runs = [...text.matchAll(/- run: (npm .*)$/gm)].map(([, command]) => command);
  expect(runs.slice(0, 5)).toEqual([
    "npm cit",
    "npm run lint",
    "npm run typecheck",
    "npm run build",
    "npm run package",
  ]);
  expect(text).toContain('node: ["20", "22", "24"]');
});

test("a release carries its SBOM and provenance, npm gets what was packed with provenance, and a deployment signs in without a long-lived secret", () => {
  const release = readFileSync(join(folder, "release.yml"), "utf8");
  for (const part of [
    "npm run --silent sbom",
    "actions/attest-build-provenance@",
    "npm run package",
    "gh release create",
    "npm pack",
  ])
    expect(release).toContain(part);
  expect(release).toMatch(/npm publish .*\.tgz --provenance/);
  const deploy = readFileSync(join(folder, "deploy.yml"), "utf8");
  expect(deploy).toContain("id-token: write");
  expect(deploy).not.toMatch(/creds:|client-secret/);
});

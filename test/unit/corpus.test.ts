import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseDefinition, type Parsed } from "../../src/shared/definition.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = resolve(root, process.env["CORPUS_DIR"] ?? "../shared/corpus");

/**
 * Where the corpus is of medium or low confidence and we judge otherwise: why. What is not listed here is judged as its index says.
 */
const judgedOtherwise: Readonly<Record<string, string>> = {
  "031-azure-synapse-rest-api-vnet-deploy-aci.yaml":
    "REPLACE_ME is left in the image's registry and in the network profile's id: the contract refuses placeholders there.",
  "047-elastic-docker-deploy-aci.yaml":
    "YOUR-AZURE-... is left as the group's name and DNS label: the service would take them, the contract refuses placeholders there.",
  "153-azure-synapse-rest-api-vnet-deploy-aci-550095.yaml":
    "REPLACE_ME is left in the image's registry and in the network profile's id: the contract refuses placeholders there.",
};

interface Row {
  readonly file: string;
  readonly expect: string;
  readonly confidence: string;
}

if (existsSync(resolve(folder, "INDEX.tsv"))) {
  const rows = table("INDEX.tsv").map(([file = "", , , , , , expect = "", confidence = ""]): Row => ({
    file,
    expect,
    confidence,
  }));
  const types = table("TYPES.tsv").map(([file = "", , path = "", kind = ""]) => ({ file, path, kind }));

  describe("definitions that other people wrote", () => {
    test("are many, and the explanations are of rows that may be judged otherwise", () => {
      expect(rows.length).toBeGreaterThan(100);
      for (const file of Object.keys(judgedOtherwise)) {
        expect(rows.find((row) => row.file === file)?.confidence).toMatch(/^(med|low)$/);
      }
    });

    test.each(rows)("$file: $expect ($confidence)", ({ file, expect: expected }) => {
      const parsed = parse(file);
      const faults = parsed.ok ? [] : parsed.faults;
      const other = expected === "accept" ? "reject" : "accept";
      const wanted = file in judgedOtherwise ? other : expected;
      expect(parsed.ok ? "accept" : "reject", JSON.stringify(faults)).toBe(wanted);
      for (const { line, column, message } of faults) {
        expect(line).toBeGreaterThan(0);
        expect(line).toBeLessThanOrEqual(read(file).split("\n").length);
        expect(column).toBeGreaterThan(0);
        expect(message).not.toBe("");
      }
    });

    const named = types.filter(({ kind }) => kind === "unknown" || kind === "readonly");
    test.each(named)("$file: $path ($kind) is named in the warnings, with its place", ({ file, path }) => {
      const parsed = parse(file);
      if (isTemplate(parsed)) return; // of a deployment template only that is told
      const warning = parsed.warnings.find((each) => each.path === path);
      expect(warning?.message).toMatch(/no effect/);
      const line = text(file)
        .split("\n")
        [(warning?.line ?? 0) - 1]?.slice((warning?.column ?? 0) - 1);
      expect(line?.replace(/^["']/, "")).toMatch(new RegExp(`^${escaped(lastName(path))}`));
    });

    test("wrong letter case is no reason for a word", () => {
      for (const { file, path } of types.filter(({ kind }) => kind === "case")) {
        const told = parse(file).warnings.filter((warning) => warning.path === path);
        expect(told.filter(({ message }) => /no effect|letter case/.test(message))).toEqual([]);
      }
    });
  });
} else {
  const name = `the corpus test is skipped: there is no folder ${folder} with INDEX.tsv (CORPUS_DIR names another)`;
  console.warn(name);
  test.skip(name);
}

function parse(file: string): Parsed {
  return parseDefinition(text(file), { defaultApiVersion: "2025-09-01" });
}

/** The definition; one of the specification's examples, whose name stands in the URL, gets one. */
function text(file: string): string {
  const written = read(file);
  const isExample =
    file.endsWith(".json") &&
    !/"name":[^]*"properties":|\$schema/.test(written.slice(0, written.indexOf('"containers"')));
  return isExample ? written.replace("{", '{"name": "group",') : written;
}

function isTemplate(parsed: Parsed): boolean {
  return !parsed.ok && parsed.faults.some(({ message }) => message.includes("deployment template"));
}

function read(file: string): string {
  return readFileSync(resolve(folder, file), "utf8");
}

function table(file: string): string[][] {
  return read(file)
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/\r$/, "").split("\t"));
}

/** The last name of a path; what stands there may have dots of its own. */
function lastName(path: string): string {
  return path.split(".").at(-1) ?? path;
}

function escaped(pattern: string): string {
  return pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

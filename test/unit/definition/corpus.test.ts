import { describe, expect, test } from "vitest";
import { parseDefinition, type Parsed } from "../../../src/shared/definition/index.ts";
import { corpusTable, corpusText, hasCorpus, readCorpus, withoutCorpus } from "../../kit/corpus.ts";

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

if (hasCorpus) {
  const rows = corpusTable("INDEX.tsv").map(([file = "", , , , , , expect = "", confidence = ""]): Row => ({
    file,
    expect,
    confidence,
  }));
  const types = corpusTable("TYPES.tsv").map(([file = "", , path = "", kind = ""]) => ({ file, path, kind }));

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
        expect(line).toBeLessThanOrEqual(readCorpus(file).split("\n").length);
        expect(column).toBeGreaterThan(0);
        expect(message).not.toBe("");
      }
    });

    const named = types.filter(({ kind }) => kind === "unknown" || kind === "readonly");
    test.each(named)("$file: $path ($kind) is named in the warnings, with its place", ({ file, path }) => {
      const parsed = parse(file);
      if (isTemplate(parsed)) return; // of a deployment template only that is reported
      const warning = parsed.warnings.find((each) => each.path === path);
      expect(warning?.message).toMatch(/no effect/);
      const line = corpusText(file)
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
  const name = `the corpus test is skipped: ${withoutCorpus}`;
  console.warn(name);
  test.skip(name);
}

function parse(file: string): Parsed {
  return parseDefinition(corpusText(file), { defaultApiVersion: "2025-09-01" });
}

function isTemplate(parsed: Parsed): boolean {
  return !parsed.ok && parsed.faults.some(({ message }) => message.includes("deployment template"));
}

/** The last name of a path; what stands there may have dots of its own. */
function lastName(path: string): string {
  return path.split(".").at(-1) ?? path;
}

function escaped(pattern: string): string {
  return pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

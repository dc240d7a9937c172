import { readFileSync } from "node:fs";
import { join } from "node:path";
import { globSync } from "tinyglobby";
import { beforeAll, describe, expect, test } from "vitest";
import { parseDefinition } from "../../src/shared/definition/index.ts";
import { apiVersions } from "../../src/shared/definition/schema/versions.ts";
import { corpusTable, corpusText, hasCorpus, withoutCorpus } from "../kit/corpus.ts";
import { disagreements, type Disagreement } from "./agreement.ts";
import { bicep, infra, without } from "./bicep.ts";
import { compile } from "./diagnostics.ts";
import { everyProperty } from "./every-property.ts";
import { explanations, type Explanation } from "./explanations.ts";
import { groupSource } from "./group-source.ts";

/** Of a definition that has no apiVersion. */
const newestStable = "2025-09-01";

interface Written {
  readonly name: string;
  readonly text: string;
  readonly apiVersion: string;
}

const root = join(infra, "..");
const ours = globSync(["examples/*.yaml", "Containers/**/*.{yaml,yml}", "test/fixtures/definitions/*"], { cwd: root })
  .toSorted()
  .map((name): Written => ({ name, text: readFileSync(join(root, name), "utf8"), apiVersion: newestStable }));

/** The specification's examples say their version in their name. */
const theirs = (hasCorpus ? corpusTable("INDEX.tsv") : []).map(([name = ""]): Written => ({
  name,
  text: corpusText(name),
  apiVersion: /restspec-(\d{4}-\d\d-\d\d(?:-preview)?)/.exec(name)?.[1] ?? newestStable,
}));

const whole = apiVersions.map((apiVersion): Written => ({
  name: `every property under ${apiVersion}`,
  text: everyProperty(apiVersion),
  apiVersion,
}));

const skipped = bicep === undefined ? ` (${without})` : "";

describe.skipIf(bicep === undefined)(`The compiler and the validator agree on each property${skipped}`, () => {
  /** By the definition's name. */
  const found = new Map<string, readonly Disagreement[]>();

  beforeAll(async () => {
    const all = [...ours, ...theirs, ...whole];
    const sources = all.flatMap(({ name, text, apiVersion }) => {
      const source = groupSource(text, apiVersion);
      return source ? [[name, source] as const] : [];
    });
    const said = await compile(new Map(sources));
    for (const { name, text, apiVersion } of all)
      found.set(name, disagreements(parseDefinition(text, { defaultApiVersion: apiVersion }), said.get(name)));
    // a definition that has everything breaks rules that are no matter of types
    for (const { name } of whole)
      found.set(
        name,
        foundIn(name).filter(({ kind, by }) => by === "compiler" || kind === "effect"),
      );
  });

  const foundIn = (name: string): readonly Disagreement[] => {
    const disagreed = found.get(name);
    if (disagreed === undefined) throw new Error(`${name} was not compared`);
    return disagreed;
  };
  const explanationOf = ({ by, says }: Disagreement): Explanation | undefined =>
    explanations.find((each) => each.by === by && each.says.test(says));
  const unexplained = (name: string): readonly string[] =>
    foundIn(name)
      .filter((each) => explanationOf(each) === undefined)
      .map(({ by, says }) => `${by}: ${says}`);

  const names = [...ours, ...theirs, ...whole].map(({ name }) => name);
  test.each(names)("of %s, or it is explained why not", (name) => {
    expect(unexplained(name)).toEqual([]);
  });

  test.skipIf(!hasCorpus)(
    `and nothing is explained that no longer occurs${hasCorpus ? "" : ` (skipped: ${withoutCorpus})`}`,
    () => {
      const used = new Set([...found.values()].flat().map(explanationOf));
      expect(explanations.filter((each) => !used.has(each)).map(({ says }) => String(says))).toEqual([]);
    },
  );
});

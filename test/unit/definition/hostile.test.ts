import { describe, expect, test } from "vitest";
import { container, group, groupOf, parse } from "./kit.ts";

const size = 512 * 1024;
const fill = (unit: string, length = size): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

/** Texts of half a MiB that make a careless reader slow: by backtracking, by squares of the length, or by sheer number. */
const texts: Readonly<Record<string, () => string>> = {
  "open brackets": () => fill("["),
  "open braces": () => fill("{"),
  "line breaks": () => fill("\n"),
  tabs: () => fill("\t"),
  "nested dashes": () => fill("- "),
  "empty items": () => fill("-\n"),
  "explicit keys": () => fill("? "),
  "one key again and again": () => fill("a:\n"),
  "many keys": () => lines(40_000, (index) => `k${index}: v`),
  "many anchors": () => lines(30_000, (index) => `a${index}: &a${index} b`),
  "many aliases": () => `a: &a b\n${fill("x: *a\n")}`,
  "pairs in a list": () => `[${fill("a: b, ")}`,
  "deep pairs": () => `${"[".repeat(30)}${fill("a,", size - 1000)}${"]: x".repeat(30)}`,
  "byte order marks": () => fill("\uFEFF\n"),
  documents: () => fill("a\n---\n"),
  "document ends": () => fill("...\n"),
  directives: () => fill("%A\n"),
  "an unclosed text": () => `"${fill("a")}`,
  escapes: () => `"${fill("\\u0041")}`,
  "a block text of short lines": () => `a: |\n${fill(" x\n")}`,
  "a folded text of blank lines": () => `a: >\n${fill(" x\n\n")}`,
  "a plain text of many lines": () => `a: ${fill("b\n\n ")}`,
  "a long tag": () => `a: !${fill("a")}`,
  "quoted lines with too little indentation": () => `a:\n  b: "x\n${fill("y\n")}"`,
  "braced lines with too little indentation": () => `a:\n  b: {\n${fill('"y": "z",\n')}}`,
  "merge keys": () =>
    `m0: &m0 {${lines(200, (index) => `k${index}: v,`)}}\n${lines(5000, (index) => `m${index + 1}: &m${index + 1} {<<: *m${index}, x${index}: 1}`)}`,
  "a long number": () => groupOf({}).replace('"cpu": 1', `"cpu": ${fill("1", 400_000)}`),
  "a long number in quotes": () => groupOf({}).replace('"cpu": 1', `"cpu": "${fill("1", 400_000)}x"`),
  "a long fraction": () => groupOf({}).replace('"cpu": 1', `"cpu": 1.${fill("1", 400_000)}x`),
  "a long name": () => group({}, { name: fill("a-", 400_000) }),
  "a long location": () => group({}, { location: fill("a ", 400_000) }),
  "an image of colons": () => groupOf({ image: fill("a:", 400_000) }),
  "an image of slashes": () => groupOf({ image: fill("a/", 400_000) }),
  "an image of placeholders": () => groupOf({ image: fill("${keyvault:a", 400_000) }),
  "a value of placeholders": () => groupOf({ environmentVariables: [{ name: "A", value: fill("<{{${$(", 400_000) }] }),
  "a value of addresses": () => groupOf({ environmentVariables: [{ name: "A", value: fill("://a", 400_000) }] }),
  "a file of equals signs": () => group({ volumes: [{ name: "files", secret: { a: fill("a= ", 400_000) } }] }),
  "many variables": () =>
    groupOf({ environmentVariables: Array.from({ length: 8000 }, (_, index) => ({ name: `v${index}`, value: "x" })) }),
  "many containers": () => group({ containers: Array.from({ length: 4000 }, () => container()) }),
  "many unknown properties": () =>
    group(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`containrs${index}`, 1]))),
};

/**
 * On an idle machine of two cores each takes less than 250 ms; on a busy one the same work takes longer. What must not happen takes
 * minutes: the limit distinguishes the two.
 */
const seconds = 10;

describe("a hostile text is done with in a moment, whatever comes of it", { timeout: 60_000 }, () => {
  test.each(Object.entries(texts))("%s", (_, text) => {
    const hostile = text();
    const start = performance.now();
    const parsed = parse(hostile);
    expect((performance.now() - start) / 1000).toBeLessThan(seconds);
    expect(parsed.warnings.length).toBeLessThan(102);
  });
});

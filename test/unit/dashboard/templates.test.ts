import { describe, expect, test } from "vitest";
import { differenceOf } from "../../../src/dashboard/logic/difference.ts";
import { choicesOf, defaultText, fieldOf, readFields } from "../../../src/dashboard/logic/parameters.ts";
import { listAddress, readRoute, templateAddress } from "../../../src/dashboard/logic/route.ts";

type Parameter = Parameters<typeof fieldOf>[0];

const parameter = (more: Partial<Parameter> = {}): Parameter => ({
  type: "string",
  secret: false,
  required: more.default === undefined,
  ...more,
});
const read = (given: Parameter, ...written: string[]) => readFields({ it: given }, () => written);
const value = (given: Parameter, ...written: string[]): unknown => {
  const result = read(given, ...written);
  return result.ok ? result.values["it"] : result.faults.get("it");
};

describe("a parameter's field", () => {
  test("is chosen by type, values and secrecy", () => {
    expect(fieldOf(parameter())).toBe("text");
    expect(fieldOf(parameter({ type: "number", values: [1, 2] }))).toBe("choice");
    expect(fieldOf(parameter({ type: "boolean" }))).toBe("choice");
    expect(fieldOf(parameter({ type: "list" }))).toBe("lines");
    expect(fieldOf(parameter({ type: "list", values: ["a"] }))).toBe("choices");
    expect(fieldOf(parameter({ secret: true }))).toBe("secret");
    expect(fieldOf(parameter({ type: "boolean", secret: true }))).toBe("secret");
    expect(choicesOf(parameter({ type: "boolean" }))).toEqual(["true", "false"]);
    expect(defaultText(parameter({ type: "list", default: ["a", "b"] }))).toBe("a\nb");
  });

  test("gives a value of its type", () => {
    expect(value(parameter(), " a ")).toBe(" a ");
    expect(value(parameter({ type: "number" }), " 0.5 ")).toBe(0.5);
    expect(value(parameter({ type: "boolean" }), "true")).toBe(true);
    expect(value(parameter({ type: "boolean", secret: true }), "False")).toBe(false);
    expect(value(parameter({ type: "list" }), "a\r\n\nb\n")).toEqual(["a", "b"]);
    expect(value(parameter({ type: "list", values: ["a", "b"] }), "a", "b")).toEqual(["a", "b"]);
  });

  test("that shows the default, or is empty where nothing can stand for nothing, is left to the default", () => {
    expect(read(parameter({ default: "a\nb" }), "a\nb")).toEqual({ ok: true, values: {} });
    expect(read(parameter({ type: "number", default: 3 }), "")).toEqual({ ok: true, values: {} });
    expect(value(parameter({ default: "a" }), "")).toBe("");
    expect(value(parameter({ type: "list", default: ["a"] }), "")).toEqual([]);
    expect(value(parameter({ type: "list", default: ["a"], values: ["a", "b"] }))).toEqual([]);
  });

  test("without a default must be filled, with what its type takes", () => {
    expect(value(parameter(), " ")).toMatch(/needed/);
    expect(value(parameter({ type: "list", values: ["a"] }))).toMatch(/needed/);
    for (const odd of ["three", "1,5", "0x10", "Infinity"])
      expect(value(parameter({ type: "number" }), odd)).toMatch(/must be a number/);
    expect(value(parameter({ type: "boolean", secret: true }), "yes")).toMatch(/true or false/);
  });

  test("may have a name that every object knows", () => {
    const named = Object.fromEntries([
      ["constructor", parameter({ default: "" })],
      ["__proto__", parameter()],
    ]);
    const result = readFields(named, () => [""]);
    expect(result.ok ? [] : [...result.faults.keys()]).toEqual(["__proto__"]);
  });

  test("must match its pattern as a whole, each item of a list alone", () => {
    expect(value(parameter({ pattern: "a|bc" }), "bc")).toBe("bc");
    expect(value(parameter({ pattern: "a|bc" }), "abc")).toBe("This must match a|bc");
    expect(value(parameter({ type: "list", pattern: "[a-c]+" }), "a\nd")).toBe("Each line must match [a-c]+");
  });

  test("whose pattern means something else to a browser, or may take it long, is left to the service", () => {
    for (const pattern of ["[[:alpha:]]", "(?i)x", "\\pN", "\\Qa\\E", "(a+)+b", "(?P<n>a)"])
      expect(value(parameter({ pattern }), "a".repeat(60)), pattern).toBe("a".repeat(60));
    expect(value(parameter({ pattern: "a" }), "\u00e4")).toBe("\u00e4");
    expect(value(parameter({ pattern: "a" }), "b".repeat(201))).toBe("b".repeat(201));
  });
});

describe("the difference of two texts", () => {
  const lines = (count: number, prefix = "line"): string =>
    Array.from({ length: count }, (_, n) => `${prefix} ${n}\n`).join("");

  test("shows each changed line with three beside it, and counts the others", () => {
    const found = differenceOf(lines(20), lines(20).replace("line 9\n", "other\n"));
    expect(found).toEqual([
      { kind: "skipped", count: 6 },
      ...[6, 7, 8].map((n) => ({ kind: "same", text: `line ${n}` })),
      { kind: "removed", text: "line 9" },
      { kind: "added", text: "other" },
      ...[10, 11, 12].map((n) => ({ kind: "same", text: `line ${n}` })),
      { kind: "skipped", count: 7 },
    ]);
  });

  test("is empty for equal texts, whatever ends their lines", () => {
    expect(differenceOf("a\nb\n", "a\nb\n")).toEqual([]);
    expect(differenceOf("a\r\nb", "a\nb\n")).toEqual([]);
  });

  test("of half a megabyte without an equal line comes in time, or not at all", () => {
    const started = performance.now();
    differenceOf(lines(40_000, "one"), lines(40_000, "two"));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

test("templates and groups have addresses of their own", () => {
  const address = templateAddress("a b.c", { version: 3, against: 1 });
  expect(address).toBe("#/template/a%20b.c?version=3&against=1");
  expect(readRoute(address)).toEqual({ view: "template", name: "a b.c", version: 3, against: 1 });
  expect(readRoute("#/template/a?version=-1&against=x")).toEqual({
    view: "template",
    name: "a",
    version: undefined,
    against: undefined,
  });
  expect(readRoute(listAddress("groups", "a/b"))).toEqual({ view: "groups", after: "a/b" });
  expect(readRoute("#/templates")).toEqual({ view: "templates", after: undefined });
  expect(readRoute("#/template/")).toEqual({ view: "overview" });
});

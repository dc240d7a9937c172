import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluate, type Scope } from "./expressions.ts";

const scope: Scope = {
  pipeline: { parameters: { myString: "foo", myNumber: 42 }, globalParameters: { env: "dev" }, RunId: "r-1" },
  activity: (name) => ({ output: { value: `of ${name}` } }),
};

describe("Expressions", () => {
  // The table of "Expressions and functions in Azure Data Factory".
  test.each([
    ["parameters", "parameters"],
    ["parameters[1]", "parameters[1]"],
    ["@@", "@"],
    [" @", " @"],
    ["@pipeline().parameters.myString", "foo"],
    ["@{pipeline().parameters.myString}", "foo"],
    ["@pipeline().parameters.myNumber", 42],
    ["@{pipeline().parameters.myNumber}", "42"],
    ["Answer is: @{pipeline().parameters.myNumber}", "Answer is: 42"],
    ["@concat('Answer is: ', string(pipeline().parameters.myNumber))", "Answer is: 42"],
    ["Answer is: @@{pipeline().parameters.myNumber}", "Answer is: @{pipeline().parameters.myNumber}"],
    ["@{formatDateTime('2026-11-29T23:30:00Z', 'yyyy-MM-dd')}", "2026-11-29"],
  ])("%s is %s", (text, value) => {
    expect(evaluate(text, scope)).toBe(value);
  });

  test("of the original's form give an address", () => {
    const text =
      "@{concat('https://kgdemokeyvault', pipeline().globalParameters.env, '.vault.azure.net/secrets/ACI-PROXY-URL/?api-version=7.0')}";
    expect(evaluate({ type: "Expression", value: text }, scope)).toBe(
      "https://kgdemokeyvaultdev.vault.azure.net/secrets/ACI-PROXY-URL/?api-version=7.0",
    );
  });

  test("stand anywhere in a JSON value, several in one text", () => {
    const value = { a: ["@activity('X').output.value", "x: @{activity('Y').output.value}, it''s @{'it''s'}"], b: 1 };
    expect(evaluate(value, scope)).toEqual({ a: ["of X", "x: of Y, it''s it's"], b: 1 });
  });

  test("of docs/data-factory-in-five-minutes.md give what the page says", () => {
    const page = readFileSync(new URL("../../../docs/data-factory-in-five-minutes.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `(.*?)` \| `(.*?)` \|$/gm)].map(([, written = "", given = ""]) => [
      written,
      given,
    ]);
    const parameters = { day: "2026-11-29", text: "it's" };
    expect(rows).toHaveLength(6);
    for (const [written = "", given] of rows)
      expect(evaluate(written, { ...scope, pipeline: { parameters } })).toBe(given);
  });

  test("leave a vault reference of the proxy alone", () => {
    expect(evaluate("value: ${keyvault:greeting}", scope)).toBe("value: ${keyvault:greeting}");
  });

  test.each([
    ["@toUpper('a')", "no function toUpper"],
    ["@pipeline().parameters.none", "property none does not exist; there are myString, myNumber"],
    ["@{concat('a'", "expected , or )"],
    ["@item()", "item() is of a ForEach"],
  ])("%s is an error that says why", (text, message) => {
    expect(() => evaluate(text, scope)).toThrow(message);
  });
});

import { describe, expect, test } from "vitest";
import { judgePage, judgePath, judgeSource } from "../../scripts/words.ts";

const found = (faults: ReturnType<typeof judgePage>): string[] => faults.map((fault) => `${fault.line} ${fault.found}`);

describe("the check of the project's words finds", () => {
  test.each([
    ["a comment", "const a = 1;\n/** The caller is told. */\nexport const b = 2;", ["2 told"]],
    ["a comment behind code", "const a = 1; // so many\nexport const b = 2;", ["1 so many"]],
    ["a message", 'throw new Error("The key can\'t be had.");', ["1 be had"]],
    ["a part of a template", "const a = `line ${1}\n of ours ${2} is`;", ["2 of ours"]],
    ["a test's title", 'it("none is lost", () => {});', ["1 none"]],
    ["an exported constant", "export const mostTries = 3;", ["1 mostTries"]],
    ["an exported function", "export async function tidyUp() {}", ["1 tidyUp"]],
    ["an exported type", "export interface PlacedFault {}", ["1 PlacedFault"]],
    ["a name that is exported as another", "const a = 1;\nexport { a as obstacle };", ["2 obstacle"]],
    ["a function named no", "export const no = 1;", ["1 no"]],
  ])("%s", (_, text, expected) => expect(found(judgeSource("a.ts", text))).toEqual(expected));

  test("a page's prose, with its line", () => {
    expect(found(judgePage("a.md", "# Page\n\nIt runs by itself.\n"))).toEqual(["3 by itself"]);
  });

  test("a file's name", () => {
    expect(found(judgePath("src/store/turns.ts"))).toEqual(["1 turns"]);
    expect(found(judgePath("test/model/orders.test.ts"))).toEqual(["1 orders"]);
  });
});

describe("the check of the project's words passes over", () => {
  test.each([
    ["words of code", 'const told = "none";\nconst look = (most: number) => most;'],
    ["code in a comment", "/** The state is `none`. */"],
    ["what looks like a comment in a template", "const a = `http://${1}//told`;"],
    ["private names", "function tidy() {}\ntidy();"],
    ["longer words", "export const deadline = 1;\nexport const placeholder = 2;"],
  ])("%s", (_, text) => expect(found(judgeSource("a.ts", text))).toEqual([]));

  test("a page's code", () => {
    expect(found(judgePage("a.md", "A `none` and\n\n```\nso many\n```\n\n| size | none | 1 |\n"))).toEqual([]);
  });

  test("names that stand in the list of exceptions", () => {
    expect(found(judgePath("src/workers/wake.ts"))).toEqual([]);
  });
});

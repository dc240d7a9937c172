import { expect, it } from "vitest";
import { jsonLog, loggingThrough, loggingWith, type LogLevel } from "../../../src/shared/base/log.ts";

function collected() {
  const lines: (readonly [where: string, level: LogLevel, line: unknown])[] = [];
  const into = (where: string) => (level: LogLevel, line: string) => void lines.push([where, level, JSON.parse(line)]);
  return { lines, into, log: jsonLog(into("stdout")) };
}

it("a line of no invocation goes to stdout, with its level", () => {
  const { lines, log } = collected();
  log("warn", "something", { code: 1 });
  expect(lines).toEqual([["stdout", "warn", { level: "warn", event: "something", code: 1 }]]);
});

it("lines of an invocation are written through it, also after a wait, and beside another one", async () => {
  const { lines, into, log } = collected();
  const run = (name: string): Promise<void> =>
    loggingThrough(into(name), async () => {
      log("info", `${name} begins`);
      await Promise.resolve();
      log("error", `${name} ends`);
    });
  await Promise.all([run("one"), run("two")]);
  log("info", "outside");
  expect(lines.map(([where, level, line]) => [where, level, (line as { event: string }).event])).toEqual([
    ["one", "info", "one begins"],
    ["two", "info", "two begins"],
    ["one", "error", "one ends"],
    ["two", "error", "two ends"],
    ["stdout", "info", "outside"],
  ]);
});

it("lines about a job have its fields, unless they have their own", () => {
  const { lines, into, log } = collected();
  loggingThrough(into("run"), () =>
    loggingWith({ job: "a", attempt: 1 }, () => {
      log("info", "one");
      log("info", "two", { attempt: 2 });
    }),
  );
  expect(lines.map(([, , line]) => line)).toEqual([
    { level: "info", event: "one", job: "a", attempt: 1 },
    { level: "info", event: "two", job: "a", attempt: 2 },
  ]);
});

it("a field is one line of bounded length, without credentials", () => {
  const { lines, log } = collected();
  log("info", "one", { name: `a\nb${"x".repeat(9000)}`, url: "https://user:geheim@host/" });
  const [[, , line] = []] = lines;
  const text = JSON.stringify(line);
  expect(text.length).toBeLessThan(700);
  expect(text).not.toMatch(/\\n|geheim/);
});

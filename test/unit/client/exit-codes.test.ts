import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Misuse, Refused, Unreachable } from "../../../client/errors.ts";
import { exitCodeOfError, exitCodeOfJob, exitCodes, exitCodesHelp } from "../../../client/exit-codes.ts";

const job = (state: string, more: object = {}) => ({ id: "1", state, ...more });

test.each([
  ["a job that succeeded", job("Succeeded"), 0],
  ["a failed job whose exit code the service reports", job("Failed", { exitCode: 42 }), 42],
  [
    "a failed job with one failed container",
    job("Failed", { containers: { a: { exit_code: 0 }, b: { exit_code: 137 } } }),
    137,
  ],
  ["a failed job whose containers never ran", job("Failed", { containers: { a: { exit_code: null } } }), 206],
  ["an exit code that is this command's own", job("Failed", { exitCode: 206 }), 199],
  ["a multiple of 256, which would look like success", job("Failed", { exitCode: 256 }), 199],
  ["a job that timed out", job("TimedOut", { exitCode: 137 }), 207],
  ["a job that was stopped", job("Stopped"), 208],
  ["a job that was canceled", job("Canceled"), 209],
])("%s", (_, status, code) => {
  expect(exitCodeOfJob(status)).toBe(code);
});

test.each([
  ["wrong use", new Misuse("x"), 202],
  ["no answer", new Unreachable("x"), 203],
  ["a refusal", new Refused("NameActive", 409, "x"), 204],
  ["a refused key", new Refused("KeyRefused", 401, "x"), 205],
  ["a fault of this program", new TypeError("x"), undefined],
])("an error: %s", (_, error, code) => {
  expect(exitCodeOfError(error)).toBe(code);
});

test("docs/client.md and --help name every exit code of the command", () => {
  const page = readFileSync(new URL("../../../docs/client.md", import.meta.url), "utf8");
  for (const code of Object.values(exitCodes)) {
    expect(page, String(code)).toMatch(new RegExp(`^\\|[^|]*\\b${code}\\b`, "m"));
    expect(exitCodesHelp, String(code)).toMatch(new RegExp(`^ *${code}\\b`, "m"));
  }
});

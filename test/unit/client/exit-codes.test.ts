import { expect, test } from "vitest";
import { Misuse, Refused, Unreachable } from "../../../client/errors.ts";
import { exitCodeOfError, exitCodeOfJob } from "../../../client/exit-codes.ts";

const job = (state: string, more: object = {}) => ({ id: "1", state, ...more });

test.each([
  ["a job that succeeded", job("Succeeded"), 0],
  ["a failed job whose exit code the service reports", job("Failed", { exitCode: 42 }), 42],
  [
    "a failed job with one failed container",
    job("Failed", { containers: { a: { exit_code: 0 }, b: { exit_code: 137 } } }),
    137,
  ],
  ["a failed job whose containers never ran", job("Failed", { containers: { a: { exit_code: null } } }), 6],
  ["an exit code that no process can have", job("Failed", { exitCode: 7147 }), 6],
  ["a multiple of 256, which would look like success", job("Failed", { exitCode: 256 }), 6],
  ["a job that timed out", job("TimedOut", { exitCode: 137 }), 7],
  ["a job that was stopped", job("Stopped"), 8],
  ["a job that was canceled", job("Canceled"), 9],
])("%s", (_, status, code) => {
  expect(exitCodeOfJob(status)).toBe(code);
});

test.each([
  ["wrong use", new Misuse("x"), 2],
  ["no answer", new Unreachable("x"), 3],
  ["a refusal", new Refused(409, "x"), 4],
  ["a refused key", new Refused(401, "x"), 5],
  ["a fault of this program", new TypeError("x"), undefined],
])("an error: %s", (_, error, code) => {
  expect(exitCodeOfError(error)).toBe(code);
});

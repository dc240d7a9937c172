/**
 * `npm run views [-- FACTOR NAME...]`: plays every trial of test/kit/views once through the real stack, at factor 1 unless told
 * otherwise, with default settings; prints a table, and fails if a trial does.
 */
import { playAll } from "../test/system/views/stage.ts";
import { givenTrials, inventedTrials, ownTrials } from "../test/kit/views/trials.ts";

const [factorGiven = "1", ...names] = process.argv.slice(2);
const factor = Number(factorGiven);
const all = [...givenTrials(), ...ownTrials(), ...inventedTrials()];
const trials = names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
let left = trials.length;
const outcomes = await playAll({
  factor,
  // At factor 1 the times of the trials are the promise; faster, a busy machine needs more.
  patience: factor === 1 ? 0 : 45_000,
  trials,
  told: ({ name, faults }) => {
    left -= 1;
    process.stderr.write(`${faults.length === 0 ? "ok  " : "FAIL"} ${name} (${left} left)\n`);
  },
});

const rows = outcomes.map(({ name, faults, state, reason = "", exitCode, puts, seconds }) => [
  faults.length === 0 ? "ok" : "FAIL",
  name,
  state,
  reason,
  exitCode === undefined ? "" : String(exitCode),
  String(puts),
  `${seconds} s`,
  faults.join("; "),
]);
const heading = ["", "trial", "state", "reason", "exit", "PUTs", "after", "what is wrong"];
const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
for (const row of [heading, ...rows]) {
  process.stdout.write(
    `${row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd()}\n`,
  );
}
const failed = outcomes.filter(({ faults }) => faults.length > 0).length;
process.stdout.write(`${outcomes.length - failed} of ${outcomes.length} as expected\n`);
process.exitCode = failed === 0 ? 0 : 1;

/**
 * `npm run incidents [-- DRILL ...]`: each incident of docs/operations.md on a local stack of its own, five at a time; when it was seen, as a
 * table. Fails if one is not seen in health, log, metric and alert within five minutes of its own line, or if health shows it when it is over. FACTOR=20: how fast time runs.
 */
import { incidents } from "../test/system/incidents/incidents.ts";
import { playIncidents, type Sighting } from "../test/system/incidents/stage.ts";

const wanted = process.argv.slice(2);
const chosen = incidents.filter(({ drill }) => wanted.length === 0 || wanted.includes(drill));
const factor = Number(process.env["FACTOR"] ?? 10);
const cell = (seconds: number | undefined): string => (seconds === undefined ? "never" : `${seconds} s`);
const told = ({ drill, line, health, metric, alert, over, faults }: Sighting): void =>
  void process.stdout.write(
    `| ${[`\`${drill}\``, ...[line, health, metric, alert, over].map(cell), ...faults].join(" | ")} |\n`,
  );

process.stdout.write(
  "| drill | own line | health, after it | metric | alert | gone from health, after the drill |\n| --- | --- | --- | --- | --- | --- |\n",
);
const seen = await playIncidents(chosen, { factor, atOnce: 5, told });
process.exitCode = chosen.length > 0 && seen.every(({ faults }) => faults.length === 0) ? 0 : 1;

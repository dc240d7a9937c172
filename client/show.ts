import pc from "picocolors";
import type { LocatedFault } from "./errors.ts";
import { containersOf, hasEnded, type Job, type Status } from "./replies.ts";

/** `FILE:LINE:COL path message`, the form that editors jump to. */
export function located(file: string, { path, line, column, message }: LocatedFault): string {
  return `${file}:${line}:${column} ${path === "" ? "" : `${path} `}${message}`;
}

function colored(state: string): string {
  if (state === "Succeeded") return pc.green(state);
  if (state === "Running") return pc.cyan(state);
  return hasEnded({ state }) ? pc.red(state) : pc.yellow(state);
}

/** One line for a look at a job. The service's message names job and state already, where it has one. */
export function progressLine({ state, reason, message }: Status): string {
  const why = message ?? reason ?? "";
  return `${colored(state)}${why === "" ? "" : `  ${why}`}`;
}

/** A job for people: its state, and a line for each container. */
export function summary(status: Status): string {
  const lines = [progressLine(status), pc.dim(`id ${status.id}`)];
  for (const [name, { state, exit_code, detail_status }] of containersOf(status)) {
    const exit = typeof exit_code === "number" ? `exit ${exit_code}` : "";
    lines.push(["  " + name, state ?? "", exit, detail_status ?? ""].filter((word) => word !== "").join("  "));
  }
  return lines.join("\n");
}

/** Jobs as a table, newest first as the service gives them. */
export function table(jobs: readonly Job[]): string {
  const rows = jobs.map(({ id, name, state, reason, createdAt, durationSeconds, exitCode }) => [
    ...[id, name, state, reason ?? ""],
    ...[createdAt ?? "", typeof durationSeconds === "number" ? `${Math.round(durationSeconds)} s` : ""],
    typeof exitCode === "number" ? String(exitCode) : "",
  ]);
  const all = [["ID", "NAME", "STATE", "REASON", "CREATED", "DURATION", "EXIT"], ...rows];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

import type { Command } from "commander";
import pc from "picocolors";
import type { JobRecord } from "./api.ts";
import { contextOf, print, printJson } from "./context.ts";
import { idOf } from "./id.ts";
import { arrayWords, colored, columns, exitWords, failuresOf, seconds } from "./show.ts";

/** `describe JOB`: all that the service knows of one job, as text. */
export function addDescribe(program: Command): void {
  program
    .command("describe")
    .argument("<job>", "the job's id or the beginning of it, or its name, which means its newest job")
    .description("show a job's whole record: attempts, timeline, containers, events, Azure's own error")
    .action(async (job: string, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      const record = await service.record(await idOf(service, job));
      if (json) printJson(record);
      else print(described(record));
    });
}

/** The record for people. */
function described(record: JobRecord): string {
  const parts = [
    heading(record),
    waiting(record),
    array(record),
    timeline(record),
    attempts(record),
    events(record),
    azure(record),
  ];
  return [...parts, warnings(record)].filter((part) => part !== "").join("\n\n");
}

function heading(record: JobRecord): string {
  const facts: readonly (readonly [string, unknown])[] = [
    ["id", record.id],
    ["group", [record.groupName, record.resourceGroup, record.location].filter(Boolean).join(", ")],
    ["images", record.images],
    ["pipeline", [record.factory, record.pipeline, record.pipelineRunId, record.activity].filter(Boolean).join(" / ")],
    ["requested by", record.requestedBy],
    ["rerun of", record.rerunOf],
    ["array", record.arrayId && `${record.arrayId}, index ${record.arrayIndex ?? ""}`],
    ["expected start", record.expectedStartAt],
    ["expected end", record.expectedEndAt && `${record.expectedEndAt}${record.late ? ", late" : ""}`],
    ["deadline", record.deadlineAt],
    ["queued", seconds(record.queueSeconds)],
    ["started in", seconds(record.startSeconds)],
    ["ran", seconds(record.runSeconds)],
    ["cost", record.costEstimate == null ? "" : `${record.costEstimate} ${record.currency ?? ""}`.trim()],
  ];
  const known = facts.filter(([, value]) => value !== undefined && value !== null && value !== "");
  const width = Math.max(...known.map(([name]) => name.length));
  const lines = known.map(([name, value]) => `${pc.dim(name.padEnd(width))}  ${String(value)}`);
  return [`${colored(record.state)}  ${record.message ?? record.name}`, ...lines].join("\n");
}

function waiting({ waiting, stopping, queue }: JobRecord): string {
  if (waiting) {
    const why = [waiting.reason, waiting.detail, queue && `position ${queue.position} of ${queue.of}`];
    return `Waits since ${waiting.since}: ${why.filter(Boolean).join(", ")}`;
  }
  return stopping ? `Stopping since ${stopping.since}: ${stopping.reason}` : "";
}

function array({ array: counts, id }: JobRecord): string {
  if (counts === undefined) return "";
  const at = counts.parallelism === undefined ? "" : `, at most ${counts.parallelism} at once`;
  return section(
    "Array",
    [`${arrayWords(counts)}${at}`, ...failuresOf(counts), `All: aci-proxy results ${id}`].join("\n"),
  );
}

function timeline({ history = [] }: JobRecord): string {
  const rows = history.map(({ at, to, reason, attempt }) => [at, to, reason, attempt > 1 ? `attempt ${attempt}` : ""]);
  return rows.length === 0 ? "" : section("Timeline", columns(rows));
}

/** Each attempt with its containers; of one that has not ended, the containers as far as they are known. */
function attempts({ attempts = [], containers, attempt, array }: JobRecord): string {
  const ended = attempts.map((each) => ({
    title: `Attempt ${each.number}: ${each.state}${each.reason ? ` ${each.reason}` : ""}`,
    containers: Object.entries(each.containers ?? {}),
  }));
  const open =
    attempts.some(({ number }) => number === attempt) || array !== undefined
      ? []
      : [{ title: `Attempt ${attempt ?? 1}`, containers: Object.entries(containers ?? {}) }];
  return [...ended, ...open]
    .map(({ title, containers: all }) =>
      section(
        title,
        columns(
          all.map(([name, { state, exit_code, detail_status, start_time, finish_time, log }]) => [
            ...[name, state ?? "", exitWords(exit_code), detail_status ?? ""],
            ...[start_time ?? "", finish_time ?? "", log ? `log ${log}` : ""],
          ]),
        ),
      ),
    )
    .join("\n\n");
}

function events({ events = [] }: JobRecord): string {
  const rows = events.map(({ at, container, name, count, message }) => [
    ...[at ?? "", container ?? "", `${name}${count > 1 ? ` ×${count}` : ""}`, message],
  ]);
  return rows.length === 0 ? "" : section("Events", columns(rows));
}

function azure({ azure }: JobRecord): string {
  if (!azure) return "";
  const rows = Object.entries(azure).map(([name, value]) => [name, String(value)]);
  return section("Azure's own error", columns(rows));
}

function warnings({ warnings = [] }: JobRecord): string {
  const rows = warnings.map(({ path, message }) => [path, message]);
  return rows.length === 0 ? "" : section("Warnings", columns(rows));
}

function section(title: string, body: string): string {
  return `${pc.bold(title)}\n${body.replaceAll(/^/gm, "  ")}`;
}

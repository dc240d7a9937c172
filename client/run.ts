import { type Command, Option } from "commander";
import { optionsTable, type OptionName } from "../src/shared/job/options.ts";
import type { Status } from "./api.ts";
import type { AciProxy } from "./aci-proxy.ts";
import { contextOf, print, printJson, readDefinition, report } from "./context.ts";
import { Misuse, Refused } from "./errors.ts";
import { exitCodeOfJob, exitCodes } from "./exit-codes.ts";
import { hasEnded } from "./status.ts";
import type { StatusPath } from "./service.ts";
import { located, progressLine, summary } from "./show.ts";

interface Flags extends Readonly<Record<string, unknown>> {
  readonly option: readonly string[];
  readonly idempotencyKey?: string;
  readonly detach?: boolean;
}

/** `run FILE`: submit, show progress and logs, end as the job ends. Its flags are the service's own options. */
export function addRun(program: Command): void {
  const command = program
    .command("run")
    .argument("<file>", "container group as YAML or JSON; - for stdin")
    .description("submit a container group, follow it, and exit as it exits")
    .option("--idempotency-key <key>", "the same key again gives the same job, not a second run")
    .option("--detach", "print the job's id and do not wait")
    .option("--option <name=value>", "an option of a service newer than this client", collect, []);
  for (const [name, row] of Object.entries(optionsTable)) {
    if (name === "polling") continue; // run always polls
    const schema: Readonly<Record<string, unknown>> = row.schema;
    const argument = schema["type"] === "boolean" ? "" : " <value>";
    command.addOption(new Option(`--${kebab(name)}${argument}`, helpOf(row)));
  }
  command.action(async (file: string, flags: Flags, self: Command) => {
    process.exitCode = await run(file, flags, self);
  });
}

/** What an option does, what it may be, and what it is unless given. */
function helpOf({ text, schema, fallback }: (typeof optionsTable)[OptionName]): string {
  const { enum: words, minimum, maximum, description }: Readonly<Record<string, unknown>> = schema;
  const range = typeof minimum === "number" && typeof maximum === "number" ? `${minimum} to ${maximum}` : undefined;
  const values = Array.isArray(words) ? words.join(", ") : typeof description === "string" ? description : range;
  return `${text} (${values === undefined ? "" : `${values}; `}default: ${fallback})`.replaceAll("`", "");
}

async function run(file: string, flags: Flags, command: Command): Promise<number> {
  const { service, json } = contextOf(command);
  const query = optionsFrom(flags);
  const definition = await readDefinition(file);
  const warn = (faults: Refused["errors"] | undefined): void => {
    for (const fault of faults ?? []) report(located(file, { ...fault, message: `warning: ${fault.message}` }));
  };
  try {
    if (query["dryRun"] !== undefined) {
      const reply = await service.dryRun(definition, query);
      if (json) printJson(reply);
      else {
        warn(reply.warnings);
        print(reply.message);
      }
      return exitCodes.done;
    }
    process.once("SIGINT", interruptedEarly);
    const { job, path } = await service.submit(definition, { ...query, polling: "true" }, flags.idempotencyKey);
    process.off("SIGINT", interruptedEarly);
    if (!json) warn(job.warnings);
    if (flags.detach) {
      if (json) printJson(job);
      else print(job.id);
      return exitCodes.done;
    }
    report(`${job.attached ? "Attached to" : "Accepted as"} job ${job.id}`);
    return await watch(service, job.id, path, { json, logs: true });
  } catch (error) {
    const faults = error instanceof Refused ? error.errors : [];
    // An option of the command line has no place in the file, and the refusal itself quotes the first.
    const quoted = error instanceof Refused ? error.message : "";
    for (const fault of faults) {
      if (!(fault.path in query)) report(located(file, fault));
      else if (!quoted.includes(fault.message)) report(fault.message);
    }
    if (error instanceof Refused) warn(error.warnings);
    throw error;
  }
}

function interruptedEarly(): void {
  report("Interrupted before the service answered. The job may run all the same; aci-proxy list shows it.");
  process.exit(exitCodes.interrupted);
}

/**
 * Follows a job to its end: progress on stderr, logs on stdout (or, with `json`, the final status).
 *
 * @returns the exit code
 */
export async function watch(
  service: AciProxy,
  id: string,
  path: StatusPath,
  { json, logs: withLogs }: { readonly json: boolean; readonly logs: boolean },
): Promise<number> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once("SIGINT", onInterrupt);
  let status: Status;
  const job = { ended: false };
  try {
    let last = "";
    status = await service.follow(id, {
      path,
      signal: interrupt.signal,
      onLine: json || !withLogs ? undefined : prefixed,
      onPoll: (look) => {
        const line = progressLine(look);
        if (line !== last && !json && !hasEnded(look)) report(line);
        last = line;
        job.ended = hasEnded(look);
      },
      onFailure: (error) => report(`${error.message}; trying again`),
    });
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    report(
      job.ended
        ? `Interrupted. The job has ended; aci-proxy logs ${id} shows its output.`
        : `Interrupted. The job goes on; aci-proxy wait ${id} follows it, aci-proxy delete ${id} cancels it.`,
    );
    return exitCodes.interrupted;
  } finally {
    process.off("SIGINT", onInterrupt);
  }
  if (json) printJson(status);
  else report(summary(status));
  const exitCode = exitCodeOfJob(status);
  if (exitCode === exitCodes.largeExitCode) report(`Exit code ${String(status.exitCode ?? exitCode)} is given as 199.`);
  return exitCode;
}

function prefixed(container: string, line: string): void {
  print(`${container} | ${line}`);
}

/** The service's options as a query. Values go as they were written: the service reads them and says what is wrong. */
function optionsFrom(flags: Flags): Record<string, string> {
  const query: Record<string, string> = {};
  for (const name of Object.keys(optionsTable)) {
    const value = flags[name];
    if (typeof value === "string") query[name] = value;
    else if (value === true) query[name] = "true";
  }
  for (const pair of flags.option) {
    const split = pair.indexOf("=");
    if (split < 1) throw new Misuse(`--option must be NAME=VALUE`);
    query[pair.slice(0, split)] = pair.slice(split + 1);
  }
  return query;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

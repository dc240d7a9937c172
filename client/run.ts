import type { Command } from "commander";
import { parseJson } from "../src/shared/base/json.ts";
import type { Status } from "./api.ts";
import type { AciProxy } from "./aci-proxy.ts";
import { contextOf, print, printJson, readDefinition, report } from "./context.ts";
import { Misuse, Refused } from "./errors.ts";
import { exitCodeOfJob, exitCodes } from "./exit-codes.ts";
import { addOptionFlags, collect, optionsFrom, pairOf, type OptionFlags } from "./option-flags.ts";
import { hasEnded } from "./status.ts";
import type { StatusPath, SubmitOptions } from "./service.ts";
import { located, progressLine, summary } from "./show.ts";
import { version } from "./template.ts";

interface Flags extends OptionFlags {
  readonly idempotencyKey?: string;
  readonly detach?: boolean;
  readonly template?: string;
  readonly templateVersion?: number;
  readonly param: readonly string[];
  readonly paramJson: readonly string[];
}

/** `run FILE`, `run --template NAME`: submit, show progress and logs, end as the job ends. Its flags are the service's own options. */
export function addRun(program: Command): void {
  const command = program
    .command("run")
    .argument("[file]", "container group as YAML or JSON; - for stdin")
    .description("submit a container group, or a stored one with --template, follow it, and exit as it exits")
    .option("--template <name>", "run this template; no file then")
    .option("--template-version <number>", "its version (default: the newest)", version)
    .option("--param <name=value>", "a parameter of the template, as text", collect, [])
    .option("--param-json <name=value>", "a parameter of the template, as JSON: a list, say", collect, [])
    .option("--idempotency-key <key>", "the same key again gives the same job, not a second run")
    .option("--detach", "print the job's id and do not wait");
  addOptionFlags(command);
  command.action(async (file: string | undefined, flags: Flags, self: Command) => {
    process.exitCode = await run(file, flags, self);
  });
}

async function run(given: string | undefined, flags: Flags, command: Command): Promise<number> {
  const { service, json } = contextOf(command);
  if (given === "-" && flags.array === "-") throw new Misuse("only one of file and --array can come from stdin");
  const options = await optionsFrom(flags);
  const { file, definition } = await sourceOf(given, flags);
  const query: SubmitOptions = { ...options, ...templateFrom(flags) };
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
  // What counts until the job has ended, when the output's reader goes away: 0 would say that the job succeeded.
  process.exitCode = exitCodes.interrupted;
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
        // An expected time alone that moved is no progress.
        const said = progressLine(withoutTimes(look));
        if (said !== last && !json && !hasEnded(look)) report(progressLine(look));
        last = said;
        job.ended = hasEnded(look);
      },
      onFailure: (error) => report(`${error.message}; trying again`),
    });
  } catch (error) {
    if (!interrupt.signal.aborted) {
      report(`Job ${id} can't be followed any more; it goes on, and aci-proxy wait ${id} follows it again.`);
      throw error;
    }
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

function withoutTimes({ expectedEndAt: _end, queue, ...status }: Status): Status {
  return queue === undefined ? status : { ...status, queue: { position: queue.position, of: queue.of } };
}

function prefixed(container: string, line: string): void {
  print(`${container} | ${line}`);
}

/** What is to be run, and what its faults are reported under. */
async function sourceOf(
  file: string | undefined,
  { template, templateVersion, param, paramJson }: Flags,
): Promise<{ readonly file: string; readonly definition: string | object }> {
  if ((file === undefined) === (template === undefined))
    throw new Misuse("run needs a file or --template, and not both");
  if (template === undefined && (templateVersion !== undefined || param.length + paramJson.length > 0))
    throw new Misuse("--param, --param-json and --template-version go with --template");
  if (file !== undefined) return { file, definition: await readDefinition(file) };
  const parameters = new Map<string, unknown>();
  for (const [name, value] of param.map((pair) => pairOf(pair, "--param"))) parameters.set(name, value);
  for (const [name, text] of paramJson.map((pair) => pairOf(pair, "--param-json"))) {
    const value = parseJson(text);
    if (value === undefined) throw new Misuse(`--param-json ${name} must be JSON`);
    parameters.set(name, value);
  }
  return { file: `template ${template ?? ""}`, definition: { parameters: Object.fromEntries(parameters) } };
}

function templateFrom({ template, templateVersion }: Flags): SubmitOptions {
  return {
    ...(template === undefined ? {} : { template }),
    ...(templateVersion === undefined ? {} : { version: String(templateVersion) }),
  };
}

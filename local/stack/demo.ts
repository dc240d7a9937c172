import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import type { Status } from "../../client/api.ts";
import { untilEnded } from "../../client/follow.ts";
import { Refused, Unreachable } from "../../client/errors.ts";
import { located, progressLine } from "../../client/show.ts";
import { Service } from "../../client/service.ts";
import { untilAsked } from "./lifetime.ts";
import { PartFailed } from "./part-process.ts";
import { freePorts } from "./ports.ts";
import { demoSettings, type StackSettings } from "./settings.ts";
import { explain } from "./start.ts";
import { startStack, type Programs } from "./stack.ts";

/** Milliseconds: the sample waits for seconds, so something hangs after this. */
const limit = 120_000;

/**
 * `npm run demo`: a stack of its own in a temporary folder, one job on it, the job's final status as JSON last on stdout.
 *
 * @param file the definition to submit
 * @returns the exit code: 0 when the job succeeded
 */
export async function demo(file: string, programs: Programs, verbose: boolean): Promise<number> {
  const began = performance.now();
  const say = (line: string): void => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
    process.stderr.write(`${pc.dim(`${seconds} s`)}  ${line}\n`);
  };
  const asked = untilAsked();
  const late = AbortSignal.timeout(limit);
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), "aci-proxy-demo-"));
    const [port = 0] = await freePorts(1);
    const settings = demoSettings(port, folder, process.env, verbose);
    if ("faults" in settings) {
      for (const fault of settings.faults) process.stderr.write(`${pc.red(fault)}\n`);
      return 1;
    }
    const status = await runOnStack(settings, programs, await readFile(file, "utf8"), asked, late, say);
    say("everything is stopped");
    const error = await written(`${JSON.stringify(status, null, 2)}\n`);
    if (error) process.stderr.write(`${pc.red(`The result can't be written: ${error.message}.`)}\n`);
    return status.state === "Succeeded" && !error ? 0 : 1;
  } catch (error) {
    if (asked.aborted) return 130;
    if (late.aborted) process.stderr.write(`${pc.red(`The job has not ended within ${limit / 1000} s.`)}\n`);
    else if (error instanceof PartFailed) explain(error);
    else if (error instanceof Error && "syscall" in error)
      process.stderr.write(`${pc.red(`Cannot start: ${error.message}.`)}\n`);
    else if (error instanceof Refused || error instanceof Unreachable) {
      process.stderr.write(`${pc.red(error.message)}\n`);
      if (error instanceof Refused) for (const fault of error.errors) say(located(file, fault));
    } else throw error;
    return 1;
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

function written(text: string): Promise<Error | null | undefined> {
  return new Promise((resolve) => process.stdout.write(text, resolve));
}

async function runOnStack(
  settings: StackSettings,
  programs: Programs,
  definition: string,
  asked: AbortSignal,
  late: AbortSignal,
  say: (line: string) => void,
): Promise<Status> {
  say("starting Azurite, the local ACI and the Functions host");
  const stack = await startStack(settings, programs, asked);
  const end = new AbortController();
  try {
    for (const { name, address } of stack.addresses) say(`${name}: ${address}`);
    const service = new Service({ url: stack.url, key: settings.key });
    const { job, path } = await service.submit(definition, { polling: "true" }, undefined);
    say(`POST /api/trigger?polling=true: 202, job ${job.id}`);
    let last = "";
    const followed = untilEnded(service, path, {
      signal: AbortSignal.any([asked, end.signal, late]),
      onPoll: (status) => {
        const line = progressLine(status);
        if (line !== last) say(`GET Location: ${line}`);
        last = line;
      },
    });
    const first = await Promise.race([followed, stack.broken]);
    if (first instanceof PartFailed) throw first;
    return first;
  } finally {
    end.abort();
    await stack.stop();
  }
}

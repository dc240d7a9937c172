import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { second } from "../src/shared/base/duration.ts";
import { contextOf, print, printJson } from "./context.ts";
import { watch } from "./run.ts";
import type { Service, StatusPath } from "./service.ts";
import { summary, table } from "./show.ts";

const idOrName = "the job's id, or its name, which means its newest job";

/** The commands about jobs that exist: status, wait, list, delete, rerun. */
export function addJobs(program: Command): void {
  program
    .command("status")
    .argument("<job>", idOrName)
    .description("show a job's state")
    .action(async (job: string, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      const { status } = await service.poll(job);
      if (json) printJson(status);
      else print(summary(status));
    });

  program
    .command("wait")
    .argument("<job>", idOrName)
    .description("follow a job as run does, and exit as it exits")
    .action(async (job: string, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      const { status, path } = await service.poll(job);
      process.exitCode = await watch(service, status.id, path, json);
    });

  program
    .command("list")
    .description("list jobs, newest first")
    .option("--state <state>", "active for all that have not ended, or one state")
    .option("--name <name>", "jobs of one container group")
    .option("--tag <tag>", "jobs with this label, or KEY=VALUE")
    .option("--reason <reason>", "jobs that wait or ended for this reason")
    .option("--run-id <id>", "jobs of one pipeline run")
    .option("--since <time>", "accepted at this time (ISO 8601) or later")
    .option("--until <time>", "accepted before this time")
    .option("--top <count>", "the maximum number of jobs")
    .option("--continuation <token>", "the next page after the one that gave this token")
    .action(async (query: Record<string, string>, self: Command) => {
      const { service, json } = contextOf(self);
      const reply = await service.list(query);
      if (json) printJson(reply);
      else {
        print(table(reply.jobs));
        if (reply.continuation) print(`More: --continuation ${reply.continuation}`);
      }
    });

  program
    .command("delete")
    .argument("<job>", "the job's id, or its name, which means its active job, else the newest")
    .description("cancel a job that has not ended, and remove its container group")
    .option("--wait", "until the group is gone")
    .action(async (job: string, flags: { wait?: boolean }, self: Command) => {
      const { service, json } = contextOf(self);
      const { message, path } = await service.remove(job);
      if (flags.wait && path !== undefined) await untilRemoved(service, path);
      if (json) printJson({ message });
      else print(message);
    });

  program
    .command("rerun")
    .argument("<id>", "id of a job that has ended")
    .description("run a job's definition again, as a new job, and print its id")
    .action(async (id: string, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      const job = await service.rerun(id);
      if (json) printJson(job);
      else print(job.id);
    });
}

async function untilRemoved(service: Service, path: StatusPath): Promise<void> {
  while (!(await service.isRemoved(path))) await delay(second);
}

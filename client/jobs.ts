import type { Command } from "commander";
import type { JobPage } from "./api.ts";
import { contextOf, print, printJson, printReply, report } from "./context.ts";
import { Misuse } from "./errors.ts";
import { findJob, idOf } from "./id.ts";
import { added } from "./option-flags.ts";
import { watch } from "./run.ts";
import { summary, table } from "./show.ts";

const idOrName = "the job's id or the beginning of it, or its name, which means its newest job";

/** What selects the jobs of a rerun of many, as `POST /api/jobs/rerun` takes it. */
interface RerunFlags {
  readonly follow?: boolean;
  readonly failed?: boolean;
  readonly state?: string;
  readonly reason?: string;
  readonly name?: string;
  readonly tag?: string;
  readonly pipeline?: string;
  readonly group?: string;
  readonly team?: string;
  readonly since?: string;
  readonly dryRun?: boolean;
}

/** The commands about jobs that exist: status, wait, list, delete, rerun. */
export function addJobs(program: Command): void {
  program
    .command("status")
    .argument("<job>", idOrName)
    .description("show a job's state")
    .option("--watch", "go on until the job has ended, and exit as wait does")
    .action(async (job: string, { watch: goOn = false }: { watch?: boolean }, self: Command) => {
      const { service, json } = contextOf(self);
      const { status, path } = await findJob(service, job);
      if (goOn) process.exitCode = await watch(service, status.id, path, { json, logs: false });
      else if (json) printJson(status);
      else print(summary(status));
    });

  program
    .command("wait")
    .argument("<job>", idOrName)
    .description("follow a job as run does, and exit as it exits")
    .action(async (job: string, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      const { status, path } = await findJob(service, job);
      process.exitCode = await watch(service, status.id, path, { json, logs: true });
    });

  program
    .command("list")
    .description("list jobs, newest first")
    .option("--state <state>", "active for all that have not ended, or states with commas in between", added)
    .option("--name <name>", "jobs of one container group")
    .option("--tag <tag>", "jobs with this label, or KEY=VALUE")
    .option("--reason <reason>", "jobs that wait or ended for this reason")
    .option("--run-id <id>", "jobs of one pipeline run")
    .option("--pipeline <name>", "jobs of one pipeline")
    .option("--group <group>", "jobs of one group (of the option group)")
    .option("--team <team>", "jobs of one team")
    .option("--array <job>", "the children of this array")
    .option("--fault <fault>", "jobs that ended by this fault, say platform")
    .option("--since <time>", "accepted at this time or later: a time (ISO 8601), or a duration ago, like PT12H")
    .option("--until <time>", "accepted before this time, written as that of --since")
    .option("--top <count>", "the maximum number of jobs")
    .option("--continuation <token>", "the next page after the one that gave this token")
    .option("--all", "every page")
    .action(async ({ all, ...asked }: Record<string, string> & { all?: true }, self: Command) => {
      const { service, json } = contextOf(self);
      const { array } = asked;
      const query = array === undefined ? asked : { ...asked, array: await idOf(service, array) };
      const pages: JobPage[] = [];
      for await (const page of service.pages(query)) {
        pages.push(page);
        if (!all) break;
      }
      const jobs = pages.flatMap((page) => page.jobs);
      const last = pages.at(-1);
      const continuation = last?.continuation;
      if (json) printJson({ ...last, jobs });
      else {
        print(table(jobs, process.stdout.columns));
        if (continuation) report(`More: --continuation ${continuation}, or --all`);
      }
    });

  program
    .command("delete")
    .argument("<job>", "the job's id, or its name, which means its active job, else the newest")
    .description("cancel a job that has not ended, and remove its container group")
    .option("--wait", "until the group is gone")
    .action(async (job: string, flags: { wait?: boolean }, self: Command) => {
      const { service, json } = contextOf(self);
      printReply(json, { message: await service.cancel(job, { wait: flags.wait }) });
    });

  program
    .command("rerun")
    .argument("[job]", idOrName)
    .description("run a job's definition again, as a new job, and print its id; or all that match and did not succeed")
    .option("--follow", "follow the new job as run does, and exit as it exits")
    .option("--failed", "of an array: the indexes that did not succeed, which is what a rerun of it runs anyway")
    .option(
      "--state <states>",
      "all in these states, with commas in between: Failed, TimedOut, Stopped, Canceled",
      added,
    )
    .option("--reason <reason>", "all that ended for this reason")
    .option("--name <name>", "all of one container group")
    .option("--tag <tag>", "all with this label, or KEY=VALUE")
    .option("--pipeline <name>", "all of one pipeline")
    .option("--group <group>", "all of one group")
    .option("--team <team>", "all of one team")
    .option("--since <time>", "accepted since: a time, or a duration ago, like PT12H")
    .option("--dry-run", "only say how many")
    .action(
      async (given: string | undefined, { follow = false, failed = false, ...chosen }: RerunFlags, self: Command) => {
        const { service, json } = contextOf(self);
        const isMany = Object.keys(chosen).length > 0;
        if (isMany === (given !== undefined))
          throw new Misuse(
            "rerun needs a job, or --state, --reason, --name, --tag, --pipeline, --group, --team or --since",
          );
        if (given === undefined) {
          if (follow || failed) throw new Misuse("--follow and --failed go with one job");
          printReply(json, await service.rerunMany(chosen));
          return;
        }
        if (failed && (await findJob(service, given)).status.array === undefined)
          throw new Misuse("--failed goes with an array; other jobs run again as a whole");
        const { job, path } = await service.rerun(await idOf(service, given));
        if (follow) {
          report(`Accepted as job ${job.id}`);
          process.exitCode = await watch(service, job.id, path, { json, logs: true });
        } else if (json) printJson(job);
        else print(job.id);
      },
    );
}

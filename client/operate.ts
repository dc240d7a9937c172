import type { Command } from "commander";
import { setTimeout } from "node:timers/promises";
import { contextOf, print, printJson, report } from "./context.ts";
import { Misuse } from "./errors.ts";

interface CancelFlags {
  readonly name?: string;
  readonly tag?: string;
  readonly pipeline?: string;
  readonly state?: string;
  readonly dryRun?: boolean;
}

/** What operators do to many jobs at once: cancel, pause, resume. */
export function addOperate(program: Command): void {
  program
    .command("cancel")
    .description("cancel all jobs that fit")
    .option("--name <name>", "of one container group")
    .option("--tag <tag>", "with this label, or KEY=VALUE")
    .option("--pipeline <name>", "of one pipeline (of the option source)")
    .option("--state <state>", "in this state")
    .option("--dry-run", "only tell how many")
    .action(async (flags: CancelFlags, self: Command) => {
      if (!flags.name && !flags.tag && !flags.pipeline && !flags.state) {
        throw new Misuse("cancel needs --name, --tag, --pipeline or --state; --state active means every job");
      }
      await operate("jobs/cancel", flags, self);
    });

  program
    .command("pause")
    .argument("<reason>", "what people read on the jobs that wait")
    .description("let accepted jobs wait; status, cancel and cleanup go on")
    .action((reason: string, _: object, self: Command) => operate("pause", { reason }, self));

  program
    .command("resume")
    .argument("[reason]", "for the record")
    .description("end a pause")
    .action((reason: string | undefined, _: object, self: Command) => operate("resume", { reason }, self));

  program
    .command("reindex")
    .description("rebuild the job index after it was lost; jobs are accepted again when it is whole")
    .action((_: object, self: Command) => reindex(self));
}

/** As long as the service has more to do. */
async function reindex(command: Command): Promise<void> {
  const { service, json } = contextOf(command);
  for (;;) {
    const { reply, pause } = await service.reindex();
    if (reply.complete) {
      if (json) printJson(reply);
      else print(reply.message);
      return;
    }
    report(reply.message);
    await setTimeout(pause);
  }
}

async function operate(path: "jobs/cancel" | "pause" | "resume", body: object, command: Command): Promise<void> {
  const { service, json } = contextOf(command);
  const reply = await service.operate(path, body);
  if (json || reply.message === undefined) printJson(reply);
  else print(reply.message);
}

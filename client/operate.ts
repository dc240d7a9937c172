import type { Command } from "commander";
import { contextOf, print, printJson } from "./context.ts";
import { Misuse } from "./errors.ts";

/** What operators do to many jobs at once: cancel, pause, resume. */
export function addOperate(program: Command): void {
  program
    .command("cancel")
    .description("cancel all jobs that fit")
    .option("--name <name>", "of one container group")
    .option("--tag <tag>", "with this label, or KEY=VALUE")
    .option("--state <state>", "in this state")
    .option("--dry-run", "only tell how many")
    .action(async (flags: { name?: string; tag?: string; state?: string; dryRun?: boolean }, self: Command) => {
      if (!flags.name && !flags.tag && !flags.state) {
        throw new Misuse("cancel needs --name, --tag or --state; --state active means every job");
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
}

async function operate(path: "jobs/cancel" | "pause" | "resume", body: object, command: Command): Promise<void> {
  const { service, json } = contextOf(command);
  const reply = await service.operate(path, body);
  if (json || reply.message === undefined) printJson(reply);
  else print(reply.message);
}

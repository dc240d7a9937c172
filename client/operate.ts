import type { Command } from "commander";
import { setTimeout } from "node:timers/promises";
import { contextOf, printReply, report } from "./context.ts";
import { Misuse } from "./errors.ts";

interface CancelFlags {
  readonly name?: string;
  readonly tag?: string;
  readonly pipeline?: string;
  readonly group?: string;
  readonly team?: string;
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
    .option("--group <group>", "of one group (of the option group)")
    .option("--team <team>", "of one team")
    .option("--state <state>", "in this state")
    .option("--dry-run", "only tell how many")
    .action(async (flags: CancelFlags, self: Command) => {
      const { name, tag, pipeline, group, team, state } = flags;
      if (!name && !tag && !pipeline && !group && !team && !state) {
        throw new Misuse(
          "cancel needs --name, --tag, --pipeline, --group, --team or --state; --state active means every job",
        );
      }
      const { service, json } = contextOf(self);
      printReply(json, await service.cancelMany(flags));
    });

  program
    .command("pause")
    .argument("<reason>", "what people read on the jobs that wait")
    .description("let accepted jobs wait; status, cancel and cleanup go on")
    .action(async (reason: string, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      printReply(json, await service.pause({ reason }));
    });

  program
    .command("resume")
    .argument("[reason]", "for the record")
    .description("end a pause")
    .action(async (reason: string | undefined, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      printReply(json, await service.resume({ reason }));
    });

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
      printReply(json, reply);
      return;
    }
    report(reply.message);
    await setTimeout(pause);
  }
}

import type { Command } from "commander";
import { contextOf, print, printJson, printReply, report } from "./context.ts";
import { Misuse } from "./errors.ts";

/** What operators do with messages that failed again and again, and before a migration: `poison`, `adopt`. */
export function addPoison(program: Command): void {
  const poison = program.command("poison").description("messages of aci-jobs that failed again and again");
  poison
    .command("list")
    .description("the first 32 of them; their texts are never shown")
    .action(async (_: object, self: Command) => {
      const { service, json } = contextOf(self);
      const reply = await service.poison();
      if (json) {
        printJson(reply);
        return;
      }
      for (const { messageId, insertedAt, bytes } of reply.messages)
        print(`${messageId}  ${insertedAt}  ${bytes} bytes`);
      if (reply.messages.length === 0) report("There are no poison messages.");
    });
  for (const what of ["replay", "drop"] as const) {
    poison
      .command(what)
      .argument("[message-id]", "one of them")
      .option("--all", "all of them")
      .description(what === "replay" ? "send them to aci-jobs again" : "remove them for good")
      .action(async (messageId: string | undefined, { all }: { all?: boolean }, self: Command) => {
        if (messageId === undefined && !all) throw new Misuse(`poison ${what} needs a message id, or --all`);
        const { service, json } = contextOf(self);
        printReply(json, await service.poisonTake(what, { messageId, all: all ?? false }));
      });
  }

  program
    .command("adopt")
    .description("groups that the service did not create, and which of them a job of their name could replace")
    .option("--dry-run", "only tell; groups are replaced one by one, when a job needs their name")
    .action(async ({ dryRun }: { dryRun?: boolean }, self: Command) => {
      if (!dryRun) {
        throw new Misuse(
          "adopt needs --dry-run and changes nothing; ADOPT_FINISHED_GROUPS=true lets a job replace a finished group",
        );
      }
      const { service, json } = contextOf(self);
      const reply = await service.adopt();
      if (json) {
        printJson(reply);
        return;
      }
      for (const { name, resourceGroup, state, replaceable } of reply.groups) {
        print(`${name}  ${resourceGroup}  ${state}  ${replaceable ? "would be replaced" : "stays"}`);
      }
      report(`${reply.message} ADOPT_FINISHED_GROUPS is ${reply.enabled ? "on" : "off"}.`);
    });
}

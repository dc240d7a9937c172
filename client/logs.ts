import { once } from "node:events";
import type { Command } from "commander";
import { contextOf, report } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { hasEnded } from "./status.ts";

interface Flags {
  readonly follow?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly attempt?: string;
  readonly index?: string;
}

/** `logs JOB [CONTAINER]`: the text as the service gives it. */
export function addLogs(program: Command): void {
  program
    .command("logs")
    .argument("<job>", "the job's id, or its name, which means its newest job")
    .argument("[container]", "one container; all of them when left out")
    .description("print a job's logs: live ones while it runs, the captured ones after")
    .option("--follow", "go on until the job has ended, for four minutes at most")
    .option("--tail <lines>", "only the last lines")
    .option("--since <time>", "only what was written since (ISO 8601)")
    .option("--attempt <number>", "of an earlier attempt")
    .option("--index <number>", "of an array: the log of this index")
    .action(async (job: string, container: string | undefined, flags: Flags, self: Command) => {
      const { service, json } = contextOf(self);
      const { follow, tail, since, attempt, index } = flags;
      const query = {
        ...{ follow: follow ? "true" : undefined, tail, since, attempt, index },
        format: json ? "json" : undefined,
      };
      // A name may soon mean another job.
      const { id } = follow ? await service.status(job) : { id: job };
      for await (const bytes of (await service.logs(id, container, { query })) ?? []) {
        if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
      }
      // The end of an attempt, or of a child, is asked for with it.
      if (!follow || attempt !== undefined || index !== undefined || hasEnded(await service.status(id))) return;
      report(`The service's stream is over, and the job is not; aci-proxy wait ${id} follows it to its end.`);
      process.exitCode = exitCodes.interrupted;
    });
}

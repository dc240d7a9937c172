import type { Command } from "commander";
import { spawn } from "node:child_process";
import { once } from "node:events";
import pc from "picocolors";
import { z } from "zod";
import type { HealthDetails } from "./api.ts";
import { contextOf, print, printJson, report } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { columns } from "./show.ts";

/** How the service is, and its page. */
export function addHealth(program: Command): void {
  program
    .command("health")
    .description("show how the service is; exits with 200 when it, or what it hangs on, does not work")
    .action(async (_: object, self: Command) => {
      const { service, json } = contextOf(self);
      const health = await service.health();
      if (json) printJson(health);
      else print(shown(health));
      process.exitCode = health.status === "ok" && downOf(health).length === 0 ? exitCodes.done : exitCodes.unwell;
    });

  program
    .command("open")
    .description("open the operators' page in a browser")
    .option("--print", "only print its address")
    .action(async (flags: { print?: boolean }, self: Command) => {
      const { service } = contextOf(self);
      const address = `${service.target.url}/api/dashboard`;
      print(address);
      if (flags.print !== true && !(await opened(address))) report("No browser could be opened; go to that address.");
    });
}

/** What does not work, with since when and why. */
const down = z.looseObject({
  ok: z.literal(false),
  since: z.string().nullish(),
  error: z.string().optional(),
});

/** What the service hangs on and does not work: a sentence each. */
function downOf(health: HealthDetails): readonly string[] {
  return Object.entries<unknown>({ ...health }).flatMap(([name, value]) => {
    const { data } = down.safeParse(value);
    if (data === undefined) return [];
    const since = typeof data.since === "string" ? ` since ${data.since}` : "";
    return [`${name} does not work${since}${data.error === undefined ? "" : `: ${data.error}`}`];
  });
}

/** The status first, then what does not work, then each member on a line: what is nested stays JSON. */
function shown(health: HealthDetails): string {
  const { status, ...more } = health;
  const broken = downOf(health);
  const heading = status !== "ok" ? pc.red(status) : broken.length > 0 ? pc.yellow("ok, but:") : pc.green(status);
  const rows = Object.entries<unknown>(more).filter(([, value]) => value !== null);
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return [
    heading,
    ...broken.map((line) => pc.red(line)),
    columns(rows.map(([name, value]) => [name, text(value)])),
  ].join("\n");
}

/** By the system's own command. */
async function opened(address: string): Promise<boolean> {
  const [command, ...words]: readonly [string, ...string[]] =
    process.platform === "win32" ? ["cmd", "/c", "start", ""] : process.platform === "darwin" ? ["open"] : ["xdg-open"];
  const child = spawn(command, [...words, address], { stdio: "ignore", detached: true });
  child.unref();
  return Promise.race([once(child, "spawn").then(() => true), once(child, "error").then(() => false)]);
}

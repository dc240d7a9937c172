import type { Command } from "commander";
import { spawn } from "node:child_process";
import { once } from "node:events";
import pc from "picocolors";
import type { HealthDetails } from "./api.ts";
import { contextOf, print, printJson, report } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { columns } from "./show.ts";

/** How the service is, and its page. */
export function addHealth(program: Command): void {
  program
    .command("health")
    .description("show how the service is; exits with 200 when it is not well")
    .action(async (_: object, self: Command) => {
      const { service, json } = contextOf(self);
      const health = await service.health();
      if (json) printJson(health);
      else print(shown(health));
      process.exitCode = health.status === "ok" ? exitCodes.done : exitCodes.unwell;
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

/** The status first, then each member on a line: what is nested stays JSON. */
function shown({ status, ...more }: HealthDetails): string {
  const heading = status === "ok" ? pc.green(status) : pc.red(status);
  const rows = Object.entries<unknown>(more).filter(([, value]) => value !== null);
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return `${heading}\n${columns(rows.map(([name, value]) => [name, text(value)]))}`;
}

/** By the system's own command. */
async function opened(address: string): Promise<boolean> {
  const [command, ...words]: readonly [string, ...string[]] =
    process.platform === "win32" ? ["cmd", "/c", "start", ""] : process.platform === "darwin" ? ["open"] : ["xdg-open"];
  const child = spawn(command, [...words, address], { stdio: "ignore", detached: true });
  child.unref();
  return Promise.race([once(child, "spawn").then(() => true), once(child, "error").then(() => false)]);
}

import { Command } from "commander";
import { fileURLToPath } from "node:url";
import { builtPrograms } from "./stack/stack.ts";
import { demo } from "./stack/demo.ts";
import { reachHereDirectly } from "./stack/proxies.ts";
import type { StartFlags } from "./stack/settings.ts";
import { start } from "./stack/start.ts";

/** The commands behind `npm start` and `npm run demo`; they need a build. The client command is ./client/main.ts. */
const root = fileURLToPath(new URL("..", import.meta.url));

Object.assign(process.env, reachHereDirectly(process.env));

const program = new Command("npm").description("The local stack of ACI Proxy: everything but Azure, on this machine.");

program
  .command("start")
  .description("run the stack until Ctrl-C")
  .option("--port <number>", "port of the Functions host", "7071")
  .option("--host <kind>", "embedded, or func for Azure Functions Core Tools", "embedded")
  .option("--verbose", "the parts' logs go to the terminal", false)
  .option(
    "--control",
    "serve the control endpoints: incidents for aci-proxy drill; the local ACI's faults, clock, counters",
    false,
  )
  .option("--otlp <url>", "traces and metrics go there by OTLP over HTTP, like http://localhost:4318")
  .option("--faults <file>", "what goes wrong in the local ACI, as JSON; local/README.md")
  .action(async (flags: StartFlags) => {
    process.exitCode = await start(flags, `${root}.local`, builtPrograms());
  });

program
  .command("demo")
  .description("start a stack, run examples/bellaciao.yaml on it, print its result, stop")
  .option("--verbose", "the parts' logs go to the terminal", false)
  .action(async ({ verbose }: { verbose: boolean }) => {
    process.exitCode = await demo(`${root}examples/bellaciao.yaml`, builtPrograms(), verbose);
  });

await program.parseAsync();

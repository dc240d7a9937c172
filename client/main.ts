import manifest from "../package.json" with { type: "json" };
import { Command, CommanderError, Option } from "commander";
import pc from "picocolors";
import { defaultUrl } from "./aci-proxy.ts";
import { report } from "./context.ts";
import { Misuse, Unreachable } from "./errors.ts";
import { exitCodeOfError, exitCodes, exitCodesHelp } from "./exit-codes.ts";
import { addResults } from "./array.ts";
import { addCompletion } from "./completion.ts";
import { addDescribe } from "./describe.ts";
import { addDrill } from "./drill.ts";
import { addGroups } from "./groups.ts";
import { addHealth } from "./health.ts";
import { addJobs } from "./jobs.ts";
import { addLogs } from "./logs.ts";
import { addOperate } from "./operate.ts";
import { addPoison } from "./poison.ts";
import { addRun } from "./run.ts";
import { addTemplate } from "./template.ts";
import { addValidate } from "./validate.ts";

/** The command `aci-proxy`. */
const program = new Command("aci-proxy")
  .description("Runs container groups as jobs on an ACI Proxy service.")
  .addOption(new Option("--url <address>", "address of the service").env("ACI_PROXY_URL").default(defaultUrl))
  .addOption(
    new Option("--key <key>", "its key; as an option, other users of this machine can see it").env("ACI_PROXY_KEY"),
  )
  .addOption(
    new Option(
      "--token <token>",
      "a bearer token, where the service takes no key (AUTH_MODE=entra); seen by others as the key is",
    ).env("ACI_PROXY_TOKEN"),
  )
  .option("--json", "the service's reply as JSON on stdout")
  .version(manifest.version, "--version", "this command's version")
  .addHelpText("after", exitCodesHelp)
  .configureHelp({ showGlobalOptions: true });

/** exitOverride and the error colour hold for commands made after they are set. */
program.exitOverride().configureOutput({ outputError: (text, write) => write(pc.red(text)) });

for (const add of [
  addRun,
  addJobs,
  addDescribe,
  addLogs,
  addResults,
  addOperate,
  addGroups,
  addPoison,
  addTemplate,
  addHealth,
  addValidate,
  addCompletion,
  addDrill,
])
  add(program);

// In a script: a variable that is not set. Sent, it would be the address of another call.
program.hook("preAction", (_, command) => {
  const empty = command.registeredArguments.find((_argument, n) => command.args[n]?.trim() === "");
  if (empty) throw new Misuse(`The ${empty.name()} is empty`);
});

// A reader that has seen enough (`| head`) is no error.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    broken(`The output can't be written: ${error.message}.`);
  });

// Node's own code for this is 1, which a container may have.
process.on("uncaughtException", (error) => broken(error.stack ?? String(error)));

function broken(why: string): never {
  report(pc.red(why));
  process.exit(exitCodes.broken);
}

// Where a command does not say more itself.
process.on("SIGINT", () => {
  if (process.listenerCount("SIGINT") > 1) return;
  report("Interrupted.");
  process.exit(exitCodes.interrupted);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.misuse;
  } else {
    const code = exitCodeOfError(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    report(pc.red(/[.?!]$/.test(error.message) ? error.message : `${error.message}.`));
    if (error instanceof Unreachable)
      report("Is the address right (--url, ACI_PROXY_URL)? A local service is started by: npm start");
    if (error instanceof Misuse) report("See: aci-proxy --help");
    process.exitCode = code;
  }
}

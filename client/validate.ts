import type { Command } from "commander";
import pc from "picocolors";
import { parseDefinition } from "../src/shared/definition/index.ts";
import { readOptions } from "../src/shared/job/options.ts";
import { parseSettings } from "../src/shared/config/settings.ts";
import { print, printJson, readDefinition, tell } from "./context.ts";
import type { PlacedFault } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { placed } from "./show.ts";

/** `validate FILE`: the service's own checks of a definition, here and offline, with its default settings. */
export function addValidate(program: Command): void {
  program
    .command("validate")
    .argument("<file>", "container group as YAML or JSON; - for stdin")
    .description("check a container group without any service")
    .option("--strict", "warnings are faults")
    .action(async (file: string, flags: { strict?: boolean }, self: Command) => {
      const { json } = self.optsWithGlobals<{ json?: boolean }>();
      const { faults, warnings } = check(await readDefinition(file));
      const valid = faults.length === 0 && !(flags.strict && warnings.length > 0);
      if (json) printJson({ valid, errors: faults, warnings });
      else {
        for (const fault of faults) print(placed(file, fault));
        for (const warning of warnings) print(placed(file, { ...warning, message: `warning: ${warning.message}` }));
        tell(valid ? `${file} ${pc.green("is valid")}` : `${file} ${pc.red("is not valid")}`);
      }
      process.exitCode = valid ? exitCodes.done : exitCodes.faulty;
    });
}

/** The faults and warnings of a definition and of its `x-aciproxy` block. */
export function check(text: string): {
  readonly faults: readonly PlacedFault[];
  readonly warnings: readonly PlacedFault[];
} {
  const settings = parseSettings({});
  const parsed = parseDefinition(text, { defaultApiVersion: settings.defaultApiVersion });
  if (!parsed.ok) return parsed;
  const { block, callBackUri, definition, warnings } = parsed;
  if (block === undefined) return { faults: [], warnings };
  const options = readOptions([{ values: block.values, where: "block", place: (name) => block.place(name) }], {
    settings,
    via: "http",
    containers: definition.view.containers.map(({ name }) => name),
    hasCallBack: callBackUri !== undefined,
  });
  return options.ok
    ? { faults: [], warnings: [...warnings, ...options.value.warnings] }
    : { faults: options.error, warnings };
}

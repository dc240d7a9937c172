import type { Command } from "commander";
import pc from "picocolors";
import { parseSettings } from "../src/shared/config/settings.ts";
import type { JsonObject } from "../src/shared/base/json.ts";
import { readJobMessage } from "../src/shared/job/envelope.ts";
import { parametersMember } from "../src/shared/definition/index.ts";
import { judgeJob } from "../src/shared/job/judgement.ts";
import { judgeTemplate } from "../src/shared/job/template-judgement.ts";
import type { Fault } from "./api.ts";
import { print, printJson, readBytes, report } from "./context.ts";
import { Misuse } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { addOptionFlags, optionsFrom, type OptionFlags } from "./option-flags.ts";
import { located } from "./show.ts";

/** `validate FILE`: the service's own checks of a definition, here and offline, with its default settings. */
export function addValidate(program: Command): void {
  const command = program
    .command("validate")
    .argument("<file>", "container group as YAML or JSON; - for stdin")
    .description("check what run takes, without any service");
  addOptionFlags(command);
  command.action(async (file: string, flags: OptionFlags, self: Command) => {
    const { json } = self.optsWithGlobals<{ json?: boolean }>();
    if (file === "-" && flags.array === "-") throw new Misuse("only one of file and --array can come from stdin");
    const { strict, ...options } = await optionsFrom(flags);
    const { faults, warnings } = check(await readBytes(file), options);
    const valid = faults.length === 0 && !(strict && warnings.length > 0);
    if (json) printJson({ valid, errors: faults, warnings });
    else {
      // An option of the command line has no place in the file.
      for (const fault of faults) print(fault.path in options ? fault.message : located(file, fault));
      for (const warning of warnings) print(located(file, { ...warning, message: `warning: ${warning.message}` }));
      report(valid ? `${file} ${pc.green("is valid")}` : `${file} ${pc.red("is not valid")}`);
    }
    process.exitCode = valid ? exitCodes.done : exitCodes.faulty;
  });
}

/** A definition that declares parameters, in YAML or JSON. */
function isTemplate(text: string): boolean {
  return new RegExp(`^["' {]*${parametersMember}["']? *:`, "m").test(text);
}

/**
 * The faults and warnings of what `run` takes: a definition with its `x-aciproxy` block, or an envelope with one.
 *
 * @param options those that are given beside them
 */
export function check(
  written: string | Uint8Array,
  options: JsonObject = {},
): {
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
} {
  const settings = parseSettings({});
  const message = readJobMessage(written);
  const refused = (why: string, at = { line: 1, column: 1 }): ReturnType<typeof check> => ({
    faults: [{ path: "", line: at.line, column: at.column, message: why }],
    warnings: [],
  });
  switch (message.kind) {
    case "malformed":
      return refused(message.why, message.at);
    case "newer":
      return refused("This envelope's version is newer than this command; version 1 is known.");
    case "run":
    case "cancel":
      return refused("This envelope's op is for the queue; it has no definition.");
    case "submit": {
      const { definition, options: envelope, callBackUri, unknown } = message.submission;
      if (!("text" in definition))
        return refused("definitionBlob and template are read by the service only; give the definition itself.");
      const { text } = definition;
      const job = { query: options, envelope, unknown, callBackUri, via: "http" } as const;
      const { found, warnings } = isTemplate(text)
        ? judgeTemplate(text, settings)
        : judgeJob({ ...job, source: { kind: "text", text } }, settings);
      return { faults: found.flatMap(({ errors }) => errors), warnings };
    }
  }
}
